package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.SampleTrace;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One pressured run, explained: swaps and host attention on a card with few blocks.
class ExplainCommandTest {

  private static final int REQUESTS = 200;

  @TempDir private static Path folder;

  private static Path run;
  private static Path trace;
  private static JsonNode figures;

  @BeforeAll
  static void simulate() {
    run = folder.resolve("run");
    trace = folder.resolve("sample.csv");
    try (TraceReader sample = SampleTrace.open(ReadOptions.ALL.withLimit(REQUESTS));
        TraceWriter writer = TraceFormat.LENGTHS.create(trace)) {
      while (sample.hasNext()) {
        writer.write(sample.next());
      }
    }
    Cli cli = simulate("--policy", "fusespill", "--out", run.toString(), "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    figures = cli.json();
  }

  private static Cli simulate(String... options) {
    List<Object> arguments =
        new ArrayList<>(
            List.of(
                "simulate",
                "--trace",
                trace,
                "--model",
                "vicuna-7b",
                "--device",
                "a10:blocks=400",
                "--host",
                "xeon-8358p"));
    arguments.addAll(List.of(options));
    return Cli.run(arguments.toArray());
  }

  private static Cli explain(Object... options) {
    List<Object> arguments = new ArrayList<>(List.of("explain", run));
    arguments.addAll(List.of(options));
    return Cli.run(arguments.toArray());
  }

  @Test
  void summary_countsWhatTheReportCounts() {
    JsonNode summary = explain("--json").json();
    assertThat(summary.get("handlings")).hasSizeGreaterThanOrEqualTo(2);
    long elsewhere = 0;
    for (JsonNode handling : summary.get("handlings")) {
      String key = "chosen_" + handling.get("handling").asText().toLowerCase(Locale.ROOT);
      assertThat(handling.get("choices")).isEqualTo(figures.get(key));
      elsewhere += handling.get("elsewhere_tokens").asLong();
    }
    assertThat(figures.get("chosen_swap").asInt()).isPositive();
    assertThat(figures.get("chosen_offload_attention").asInt()).isPositive();
    assertThat(elsewhere).isPositive().isLessThanOrEqualTo(figures.get("remote_decodes").asLong());
    assertThat(summary.get("most_expensive")).hasSize(5);
    assertThat(summary.get("shares_chosen").asInt()).isPositive();
  }

  /// The stories of every sequence against `requests.csv`, which the report wrote.
  @Test
  void stories_agreeWithTheReportOfTheRun() throws IOException {
    List<String> rows = Files.readAllLines(run.resolve("requests.csv"));
    for (int i = 1; i < rows.size(); i += 7) {
      String[] row = rows.get(i).split(",", -1);
      JsonNode story = explain("--sequence", row[0], "--json").json();
      long arrival = Long.parseLong(row[2]);
      assertThat(story.get("ttft_nanos").asLong()).isEqualTo(Long.parseLong(row[3]) - arrival);
      assertThat(story.get("e2e_nanos").asLong()).isEqualTo(Long.parseLong(row[4]) - arrival);
      assertThat(story.get("output_tokens").asText()).isEqualTo(row[6]);
      int preemptions = 0;
      int tokens = 1;
      for (JsonNode moment : story.get("moments")) {
        preemptions += moment.get("what").asText().equals("Preempted") ? 1 : 0;
        tokens += moment.path("phase").asText().equals("DECODE") ? moment.get("tokens").asInt() : 0;
        tokens += moment.path("recomputed_tokens").asInt() > 0 && moment.has("phase") ? 1 : 0;
      }
      assertThat(preemptions).isEqualTo(Integer.parseInt(row[8]));
      assertThat(tokens).as(story.toString()).isEqualTo(Integer.parseInt(row[6]));
    }
  }

  @Test
  void story_isALineAMomentWithEveryAlternative() {
    JsonNode dearest = explain("--json").json().get("most_expensive").get(0);
    String text = explain("--sequence", dearest.get("sequence").asText()).out();
    assertThat(text)
        .contains("arrived", "admitted on a10", "prefilled", "first token", "ended by")
        .contains("lost ms", "* ", "recompute", "stay", "believed", "came")
        .contains("decode on a10", "ms each");
    assertThat(explain("--most-expensive", "1").out())
        .contains("handling", "remaining tokens: believed", "sequence " + dearest.get("sequence"))
        .contains("share chosen at s", "alpha*");
  }

  @Test
  void request_tellsOfEachOfItsSamples() throws IOException {
    Path samples = folder.resolve("samples");
    simulate("--policy", "continuous", "--samples", "2", "--out", samples.toString());
    JsonNode json = Cli.run("explain", samples, "--request", "3", "--json").json();
    assertThat(json.get("sequences")).hasSize(2);
    assertThat(json.get("sequences").get(1).get("sequence").asInt()).isEqualTo(7);
    Cli summary = Cli.run("explain", samples);
    assertThat(summary.out()).contains("no handling was chosen", "memory is short");
    assertThat(summary.exitCode()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--sequence 200|--sequence is 200, must be 0 to 199",
        "--request 9999|--request is 9999, must be 0 to 199",
        "--sequence -1|--sequence is -1",
        "--sequence 1 --request 1|exclude",
        "--sequence 1 --most-expensive 3|--most-expensive",
        "--most-expensive -1|--most-expensive is -1, must be 0 to 10,000"
      })
  void wrongSubject_isOneLine(String given) {
    String[] parts = given.split("\\|");
    Cli cli = explain((Object[]) parts[0].split(" "));
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.errorLines()).hasSize(1);
    assertThat(cli.err()).contains(parts[1]);
    assertThat(cli.out()).isEmpty();
  }

  @Test
  void report_saysHowGoodThePredictorIs() {
    assertThat(figures.get("predictor").asText()).isEqualTo("kaplan-meier");
    assertThat(figures.get("prediction_moments").asInt()).isPositive();
    for (int level : List.of(50, 80, 90, 95)) {
      assertThat(figures.get("prediction_calibration_" + level).asDouble()).isBetween(0.0, 1.0);
    }
    assertThat(figures.get("mean_spilled_e2el_ms").asDouble()).isPositive();
    assertThat(figures.get("p99_spilled_e2el_ms").asDouble()).isPositive();
    assertThat(figures.get("mean_spilled_tpot_ms").asDouble()).isPositive();
    Cli bound = simulate("--policy", "fusespill", "--predictor", "oracle", "--journal", "none");
    assertThat(bound.out())
        .contains("length prediction by oracle (UPPER BOUND", "mean error   0.0 tokens")
        .contains("handlings", "remote decodes", "at work", "a10 ", "E2E, spilled");
    Cli plain = simulate("--policy", "continuous", "--journal", "none", "--json");
    assertThat(plain.json().has("predictor")).isFalse();
  }

  @Test
  void oracleInRealTime_isRefused() {
    Cli cli = simulate("--policy", "fusespill", "--predictor", "oracle", "--real-time");
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.err()).contains("--predictor oracle", "--real-time");
  }
}
