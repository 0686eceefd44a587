package io.fusespill.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.spec.SpecException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SweepSpecTest {

  private static final String SMALL =
      """
      platforms: [{name: p, devices: [a10]}]
      models: [vicuna-7b]
      workloads: [{name: w, lengths: sharegpt, requests: 5}]
      rates: [1]
      policies: [{policy: continuous}]
      slo: {ttft: {p99: 2s}}
      """;

  @TempDir private Path folder;

  private SweepSpec read(String text) throws IOException {
    return SweepSpec.read(Files.writeString(folder.resolve("spec.yaml"), text));
  }

  @Test
  void everythingWrong_isNamedAtOnceWithItsPath() {
    assertThatThrownBy(() ->
            read(
                """
                platforms: [{name: p, devices: [a11]}]
                models: [vicuna-7b]
                workloads: [{name: w, lengths: sharegpt, requests: 5}]
                rates: [0, fast]
                rate-scales: [2]
                policy: [{policy: continuous}]
                policies:
                  - {policy: continuous}
                  - {policy: fusespill, options: {victims: oldest, victms: cost}}
                metrics: [ttft_p99_second, "nothing*"]
                slo: {tftt: {p99: 2s}, tpot: {q99: 2s, p90: 100}, unserved: 3}
                prices: {currency: USD, per-hour: {a10: -1, a12: 2}}
                """))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining("spec.yaml has ")
        .hasMessageContaining("platforms[0].devices[0]: unknown hardware \"a11\"")
        .hasMessageContaining(
            "rates[0] is \"0\", must be requests a second above 0 and at most 1,000,000, or inf")
        .hasMessageContaining("rates[1] is \"fast\", must be")
        .hasMessageContaining("rate-scales stands beside rates")
        .hasMessageContaining("policy is not a key here; known: ")
        .hasMessageContaining(
            "policies[1].options.victms names the unknown option of fusespill \"victms\"; did you mean victims?")
        .hasMessageContaining(
            "metrics[0] is \"ttft_p99_second\", which no figure is called; did you mean ttft_p99_seconds")
        .hasMessageContaining("metrics[1] is \"nothing*\"")
        .hasMessageContaining("slo.tftt is not a key here; did you mean tpot or ttft?")
        .hasMessageContaining("slo.tpot.q99: 'q99' must be a percentile")
        .hasMessageContaining("slo.tpot.p90: '100' must be a time with its unit")
        .hasMessageContaining("slo.unserved: unserved is 3.0, must be a share")
        .hasMessageContaining("prices.per-hour.a10 is -1.0, must be above 0")
        .hasMessageContaining("under the path of its .json file")
        .hasMessageContaining("prices.per-hour.a12 is no card; did you mean a10")
        .hasMessageContaining("prices.source is missing");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "rates: [1] | rates: [] | rates is empty",
        "rates: [1] | seeds: [0] | arrivals gamma need a rate",
        "rates: [1] | rates: [1, 2, 1.0] | rates[2] is the same number as rates[0], must differ",
        "rates: [1] | rates: [inf, 1, inf] | rates[2] is the same number as rates[0], must differ",
        "rates: [1] | rate-scales: [0.5, 0.50] | rate-scales[1] is the same number as rate-scales[0]",
        "rates: [1] | rates: 1 | rates is 1, must be a list",
        "rates: [1] | rate-scales: [x] | rate-scales[0] is \"x\", must be a number",
        "{policy: continuous} | {policy: fusespill, options: {victims: oldest}} | policies[0].options.victims: option victims of policy fusespill is 'oldest', must be",
        "slo: {ttft: {p99: 2s}} | slo: {ttft: 2s} | slo.ttft is \"2s\", must be an object",
        "requests: 5 | requests: 5, lengths: x | Duplicate field",
      })
  void oneThingWrong_isNamed(String good, String bad, String message) {
    assertThat(SMALL).contains(good);
    assertThatThrownBy(() -> read(SMALL.replace(good, bad)))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining(message);
  }

  @Test
  void metrics_areChosenByNameAndPattern() throws IOException {
    SweepSpec spec = read(SMALL + "metrics: [slo_met, \"ttft*\", \"*_ratio\"]\n");

    assertThat(spec.metrics())
        .contains("ttft_p99_seconds", "slo_met", "peak_kv_usage_ratio")
        .doesNotContain("requests", "tpot_p99_seconds");
    assertThat(SweepRows.of(spec).schema().names())
        .startsWith("scenario", "scenario_key", "platform")
        .endsWith("price_per_hour", "price_per_million_output_tokens")
        .contains("slo_met")
        .doesNotContain("requests");
  }

  @Test
  void emptyAndUnreadableTraces_areNamedBeforeAnythingRuns() throws IOException {
    Files.writeString(folder.resolve("long.csv"), "prompt_len,output_len\n9000,9000\n");
    Files.writeString(folder.resolve("bad.csv"), "prompt_len,output_len\nmany,7\n");
    SweepSpec spec =
        read(
            SMALL.replace(
                "workloads: [",
                "workloads: [{name: none, trace: gone.csv}, {name: bad, trace: bad.csv}, {name: long, trace: long.csv, max-total: 100}, "));

    assertThatThrownBy(() -> SweepPlan.of(spec, new TraceCache()))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining("spec has 3 problems")
        .hasMessageContaining("workload \"none\": ")
        .hasMessageContaining("gone.csv")
        .hasMessageContaining("bad.csv:2: ")
        .hasMessageContaining(
            "workload \"long\" is empty: its filters or its limit leave no request");
  }

  @Test
  void key_followsWhatFiguresFollowFromAlone() throws IOException {
    Files.writeString(folder.resolve("t.csv"), "prompt_len,output_len\n10,7\n");
    String traced = SMALL.replace("lengths: sharegpt, requests: 5", "trace: t.csv");
    String key = key(traced);

    assertThat(key(traced.replace("name: p", "name: q").replace("name: w", "name: v")))
        .isEqualTo(key);
    assertThat(key(traced + "metrics: [requests]\n")).isEqualTo(key);
    assertThat(
            Stream.of(
                    traced.replace("rates: [1]", "rates: [2]"),
                    traced.replace("p99: 2s", "p99: 3s"),
                    traced.replace("[a10]", "[a30]"),
                    traced.replace("continuous", "vllm-0.2.7"),
                    traced + "seeds: [5]\n",
                    traced + "limits: {max-num-seqs: 7}\n")
                .map(this::key))
        .doesNotContain(key)
        .doesNotHaveDuplicates();
    Files.writeString(folder.resolve("t.csv"), "prompt_len,output_len\n10,8\n");
    assertThat(key(traced)).as("another trace of the same name").isNotEqualTo(key);
  }

  private String key(String text) {
    try {
      return SweepPlan.of(read(text), new TraceCache()).tasks().getFirst().key();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  static Stream<Path> shipped() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("..", "specs"))) {
      return files.filter(file -> !file.endsWith("prices.yaml")).sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("shipped")
  void shippedSpecifications_areSweeps(Path file) {
    assertThat(SweepSpec.read(file).scenarios()).isNotEmpty();
  }

  @Test
  void prices_ofOneFileUnderTwoSpellings_areAProblem() throws IOException {
    Path card = ownCard();
    String text =
        SMALL
            + "prices: {currency: EUR, source: made up, per-hour: {%s: 1, %s: 2}}\n"
                .formatted(card, relative(card));

    assertThatThrownBy(() -> read(text))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining(
            "prices.per-hour.%s is a file that has a price already".formatted(relative(card)));
  }

  @Test
  void prices_ofAnOwnCard_areFoundUnderEverySpellingOfItsPath() throws IOException {
    Path card = ownCard();
    Files.writeString(folder.resolve("t.yaml"), "devices: [{name: g, profile: own.json}]\n");
    String platforms =
        "platforms: [{name: r, devices: [%s]}, {name: a, devices: [%s]}, {name: t, topology: t.yaml}]"
            .formatted(relative(card), card);

    for (Path key : List.of(relative(card), card)) {
      SweepSpec spec =
          read(
              SMALL.replace("platforms: [{name: p, devices: [a10]}]", platforms)
                  + "prices: {currency: EUR, source: made up, per-hour: {%s: 1.25}}\n"
                      .formatted(key));
      SweepPlan plan = SweepPlan.of(spec, new TraceCache());

      assertThat(plan.notes()).isEmpty();
      assertThat(
              plan.tasks().stream()
                  .map(task -> task.scenario().scenario().topology())
                  .map(spec.prices()::perHour))
          .containsExactly(1.25, 1.25, 1.25);
      assertThat(spec.grid().platforms())
          .allSatisfy(
              platform -> assertThat(spec.prices().perHour(platform.topology())).isEqualTo(1.25));
    }
  }

  private Path ownCard() throws IOException {
    return Files.copy(
        Path.of("..", "sim/src/main/resources/io/fusespill/sim/hardware/a10.json"),
        folder.resolve("own.json"));
  }

  private static Path relative(Path file) {
    return Path.of("").toAbsolutePath().relativize(file.toAbsolutePath());
  }

  @Test
  void shippedPrices_areRead() {
    assertThat(Prices.read(Path.of("..", "specs", "prices.yaml")).perHour()).containsKey("a10");
  }
}
