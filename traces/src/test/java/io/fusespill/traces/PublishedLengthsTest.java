package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class PublishedLengthsTest {

  private static final int DRAWS = 50_000;

  @ParameterizedTest
  @EnumSource
  void draw_many_haveTheTablesQuantiles(PublishedLengths lengths) throws IOException {
    List<String[]> rows = rows(lengths);
    int[][] drawn = draws(lengths);
    Arrays.sort(drawn[0]);
    Arrays.sort(drawn[1]);

    for (double share : new double[] {0.05, 0.25, 0.5, 0.75, 0.95}) {
      // Five deviations of a sample quantile's rank.
      double slack = 5 * Math.sqrt(share * (1 - share) / DRAWS) + 0.005;
      for (int column = 0; column < 2; column++) {
        assertThat(drawn[column][(int) (share * DRAWS)])
            .as("column %d, share %s", column, share)
            .isBetween(
                quantile(rows, column + 1, share - slack, false),
                quantile(rows, column + 1, share + slack, true));
      }
    }
    assertThat(drawn[0][0]).isGreaterThanOrEqualTo(tokens(rows.getFirst(), 1));
    assertThat(drawn[0][DRAWS - 1]).isLessThanOrEqualTo(tokens(rows.getLast(), 1));
    assertThat(drawn[1][0]).isGreaterThanOrEqualTo(tokens(rows.getFirst(), 2));
    assertThat(drawn[1][DRAWS - 1]).isLessThanOrEqualTo(tokens(rows.getLast(), 2));
  }

  /// Spearman's rank correlation of a Gaussian copula is 6 / pi · asin(rho / 2).
  @ParameterizedTest
  @CsvSource({
    "SHAREGPT, 0.053",
    "ARXIV, -0.119",
    "AZURE_CONV, 0.076",
    "MOONCAKE, 0.075",
    "RAGPULSE, 0.437",
    "DEEPSEEK_R1, 1"
  })
  void draw_many_haveTheCopulasCorrelation(PublishedLengths lengths, double rho) {
    int[][] drawn = draws(lengths);
    double expected = 6 / Math.PI * Math.asin(rho / 2);

    assertThat(correlation(ranks(drawn[0]), ranks(drawn[1]))).isCloseTo(expected, within(0.025));
  }

  /// The mean of the trace to which the table was fitted.
  @ParameterizedTest
  @CsvSource({
    "SHAREGPT, 2340.03, 438.71",
    "ARXIV, 2588.08, 291.43",
    "AZURE_CONV, 1154.70, 211.13",
    "MOONCAKE, 12035.06, 342.62",
    "RAGPULSE, 2943.58, 283.24"
  })
  void draw_many_haveTheTracesMeans(PublishedLengths lengths, double prompt, double output) {
    int[][] drawn = draws(lengths);

    assertThat(Arrays.stream(drawn[0]).average().orElseThrow())
        .isCloseTo(prompt, within(0.02 * prompt));
    assertThat(Arrays.stream(drawn[1]).average().orElseThrow())
        .isCloseTo(output, within(0.02 * output));
  }

  @ParameterizedTest
  @EnumSource
  void table_published_saysWhoseItIs(PublishedLengths lengths) {
    assertThat(lengths.source()).isNotBlank();
    assertThat(lengths.licence()).isNotBlank();
    assertThat(lengths.description()).isNotBlank();
    assertThat(PublishedLengths.named(lengths.label())).isEqualTo(lengths);
  }

  @Test
  void named_unknown_listsAll() {
    assertThatThrownBy(() -> PublishedLengths.named("alpaca"))
        .isInstanceOf(TraceException.class)
        .hasMessage(
            "no published lengths \"alpaca\", must be one of sharegpt, arxiv, azure-conv, mooncake, ragpulse, deepseek-r1");
  }

  /// The tables are the published parameters, number by number.
  @ParameterizedTest
  @CsvSource({
    "SHAREGPT, sharegpt_8k_llama2",
    "ARXIV, arxiv_summarization",
    "AZURE_CONV, azure_conv_2023",
    "MOONCAKE, mooncake_conversation",
    "RAGPULSE, ragpulse_campus",
    "DEEPSEEK_R1, servegen_deepseek_r1"
  })
  void table_published_isTheFittedOne(PublishedLengths lengths, String key) throws IOException {
    JsonNode parameters =
        new ObjectMapper().readTree(Files.readString(SharedData.file("generator_params.json")));
    JsonNode workload = parameters.get("workloads").get(key);
    List<String[]> rows = rows(lengths);

    assertThat(rows).hasSize(parameters.get("p").size());
    for (int i = 0; i < rows.size(); i++) {
      assertThat(Double.parseDouble(rows.get(i)[0]))
          .isEqualTo(parameters.get("p").get(i).asDouble());
      assertThat(tokens(rows.get(i), 1)).isEqualTo(workload.get("input_q").get(i).asInt());
      assertThat(tokens(rows.get(i), 2)).isEqualTo(workload.get("output_q").get(i).asInt());
    }
  }

  private static List<String[]> rows(PublishedLengths lengths) throws IOException {
    try (InputStream in =
        PublishedLengths.class.getResourceAsStream("lengths/" + lengths.label() + ".csv")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> Character.isDigit(line.charAt(0)))
          .map(line -> line.split(",", -1))
          .toList();
    }
  }

  /// The table's entry at the next share below or above.
  private static int quantile(List<String[]> rows, int column, double share, boolean above) {
    return rows.stream()
        .filter(row ->
            above
                ? Double.parseDouble(row[0]) >= Math.min(share, 1)
                : Double.parseDouble(row[0]) <= Math.max(share, 0))
        .mapToInt(row -> tokens(row, column))
        .reduce((a, b) -> above ? a : b)
        .orElseThrow();
  }

  private static int tokens(String[] row, int column) {
    return Integer.parseInt(row[column]);
  }

  private static int[][] draws(PublishedLengths lengths) {
    SeededRandom random = new SeededRandom(1, "test");
    int[][] drawn = new int[2][DRAWS];
    for (int i = 0; i < DRAWS; i++) {
      LengthDistribution.Lengths next = lengths.draw(random);
      drawn[0][i] = next.promptTokens();
      drawn[1][i] = next.outputTokens();
    }
    return drawn;
  }

  /// Equal values share the mean of their ranks.
  private static double[] ranks(int[] values) {
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted((a, b) -> Integer.compare(values[a], values[b]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ranks = new double[values.length];
    for (int from = 0; from < order.length; ) {
      int to = from;
      while (to < order.length && values[order[to]] == values[order[from]]) {
        to++;
      }
      for (int i = from; i < to; i++) {
        ranks[order[i]] = (from + to - 1) / 2.0;
      }
      from = to;
    }
    return ranks;
  }

  private static double correlation(double[] a, double[] b) {
    double meanA = Arrays.stream(a).average().orElseThrow();
    double meanB = Arrays.stream(b).average().orElseThrow();
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (a[i] - meanA) * (b[i] - meanB);
      aa += (a[i] - meanA) * (a[i] - meanA);
      bb += (b[i] - meanB) * (b[i] - meanB);
    }
    return ab / Math.sqrt(aa * bb);
  }
}
