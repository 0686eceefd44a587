package io.fusespill.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sweep.ScenarioResult.Finished;
import io.fusespill.tables.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Searches, held against scenarios that are run one by one.
class SearchTest {

  private static final String SPEC =
      """
      platforms:
        - {name: small, devices: [a10:blocks=300], link: pcie4-16gbps, swap-space: 16}
        - {name: large, devices: [h200:blocks=30000]}
      models: [vicuna-7b]
      workloads:
        - {name: drawn, lengths: sharegpt, max-prompt: 1024, max-total: 1512, requests: 120, rate: 2}
      policies: [{policy: continuous}]
      seeds: [3, 4]
      slo: {ttft: {p90: 1s}, tpot: {p90: 100ms}}
      prices: {currency: EUR, source: made up, per-hour: {a10: 1, h200: 3.5}}
      """;

  private static final String SMALL = SPEC.replaceAll("(?m)^.*name: large.*\n", "");

  @TempDir private Path folder;

  private Path spec(String text) throws IOException {
    return Files.writeString(folder.resolve("spec.yaml"), text);
  }

  private List<Boolean> keeps(String text) throws IOException {
    SweepPlan plan = SweepPlan.of(SweepSpec.read(spec(text)), new TraceCache());
    List<Boolean> kept = new ArrayList<>();
    for (SweepTask task : plan.tasks()) {
      Finished run = (Finished) ScenarioRun.run(task, new TraceCache(), ended -> {});
      kept.add((Boolean) run.figures().get("slo_met"));
    }
    return kept;
  }

  private static Table capacity(SweepSpec spec, double tolerance) {
    return new CapacitySearch(spec, List.of("platform=small"), tolerance).run(2, () -> {}).table();
  }

  @Test
  void capacity_isKeptByEverySeed_andALittleMoreIsNot() throws IOException {
    Table found = capacity(SweepSpec.readWithoutRates(spec(SMALL)), 0.01);

    assertThat(found.rows()).hasSize(1);
    assertThat(found.value(0, "verdict")).isEqualTo("found");
    double rate = (Double) found.value(0, "rate_requests_per_second");
    assertThat(keeps(SMALL.replace("rate: 2", "rate: " + rate))).containsExactly(true, true);
    boolean broken = false;
    for (double more = rate; more < rate * 1.011; more += rate * 0.0005) {
      broken |= keeps(SMALL.replace("rate: 2", "rate: " + more)).contains(false);
    }
    assertThat(broken).as("a rate at most 1 %% above %s breaks", rate).isTrue();
    assertThat((String) found.value(0, "next_breaks")).contains("p90=");
    assertThat((Double) found.value(0, "price_per_hour")).isEqualTo(1.0);
  }

  @Test
  void capacity_withoutALimit_saysSo() throws IOException {
    SweepSpec spec = SweepSpec.readWithoutRates(spec(SPEC));
    Table lax = capacity(spec.withSlo(Slo.parse(List.of("ttft.p50=60min"))), 0.1);
    Table strict = capacity(spec.withSlo(Slo.parse(List.of("ttft.p50=1us"))), 0.1);

    assertThat(lax.value(0, "verdict")).isEqualTo("never_broken");
    assertThat((Double) lax.value(0, "rate_requests_per_second")).isGreaterThan(10_000);
    assertThat(strict.value(0, "verdict")).isEqualTo("always_broken");
    assertThat(strict.value(0, "rate_requests_per_second")).isNull();
    assertThat(strict.value(0, "next_breaks")).isEqualTo("ttft.p50=0.000001s");
  }

  @Test
  void capacity_ofATraceWithItsOwnArrivals_isAFactorOnThem() throws IOException {
    StringBuilder trace = new StringBuilder("prompt_len,output_len,arrived_at\n");
    for (int i = 0; i < 60; i++) {
      trace.append("300,80,%d\n".formatted(2 * i));
    }
    Files.writeString(folder.resolve("trace.csv"), trace);
    String own = SMALL.replaceAll("- \\{name: drawn.*", "- {name: own, trace: trace.csv}");

    Table found = capacity(SweepSpec.readWithoutRates(spec(own)), 0.05);

    double scale = (Double) found.value(0, "rate_scale_ratio");
    assertThat(found.value(0, "verdict")).isEqualTo("found");
    assertThat((Double) found.value(0, "rate_requests_per_second"))
        .isCloseTo(0.5 * scale, Percentage.withPercentage(0.1));
    assertThat(keeps(own.replace("trace.csv}", "trace.csv, rate-scale: " + scale + "}")))
        .containsExactly(true, true);
  }

  /// What is found is what `simulate --rate-scale` takes, whatever factor the specification has.
  @Test
  void capacity_ofATraceThatIsScaledAlready_isAFactorOnItsOwnArrivals() throws IOException {
    StringBuilder trace = new StringBuilder("prompt_len,output_len,arrived_at\n");
    for (int i = 0; i < 60; i++) {
      trace.append("300,80,%d\n".formatted(2 * i));
    }
    Files.writeString(folder.resolve("trace.csv"), trace);
    String own =
        SMALL.replaceAll("- \\{name: drawn.*", "- {name: own, trace: trace.csv, rate-scale: 0.25}");

    Table found = capacity(SweepSpec.readWithoutRates(spec(own)), 0.05);

    double scale = (Double) found.value(0, "rate_scale_ratio");
    assertThat((Double) found.value(0, "rate_requests_per_second"))
        .isCloseTo(0.5 * scale, Percentage.withPercentage(0.1));
    assertThat(keeps(own.replace("rate-scale: 0.25", "rate-scale: " + scale)))
        .containsExactly(true, true);
  }

  @Test
  void cheapest_hasTheFewestReplicasAndIsSortedByPrice() throws IOException {
    SweepSpec spec = SweepSpec.read(spec(SPEC));
    Table found = new CheapestSearch(spec, List.of(), 16).run(2, () -> {}).table();

    assertThat(found.rows()).hasSize(2);
    assertThat(found.schema().columns().get(found.schema().indexOf("price_per_hour")).unit())
        .isEqualTo("EUR_per_hour");
    assertThat((Double) found.value(0, "price_per_hour"))
        .isLessThanOrEqualTo((Double) found.value(1, "price_per_hour"));
    for (int row = 0; row < 2; row++) {
      String platform = (String) found.value(row, "platform");
      int replicas = Math.toIntExact((Long) found.value(row, "replicas"));
      List<SweepScenario> seeds =
          spec.scenarios().stream().filter(each -> each.platform().equals(platform)).toList();
      assertThat(found.value(row, "slo_met")).isEqualTo(true);
      assertThat((Double) found.value(row, "price_per_hour"))
          .isEqualTo(replicas * (platform.equals("small") ? 1 : 3.5));
      assertThat(Probe.of(seeds, replicas, new TraceCache()).passes()).isTrue();
      if (platform.equals("small")) {
        assertThat(replicas).isGreaterThan(1);
        assertThat(Probe.of(seeds, replicas - 1, new TraceCache()).passes()).isFalse();
      }
    }
  }

  @Test
  void cheapest_atTheSamePriceAnHour_isSortedByThePriceOfAToken() throws IOException {
    List<Object> first = new ArrayList<>();
    for (String policies :
        List.of(
            "{policy: continuous}, {policy: vllm-0.2.7}",
            "{policy: vllm-0.2.7}, {policy: continuous}")) {
      SweepSpec spec = SweepSpec.read(spec(SMALL.replace("{policy: continuous}", policies)));
      Slo lax = Slo.parse(List.of("ttft.p50=60min"));
      Table found = new CheapestSearch(spec.withSlo(lax), List.of(), 1).run(2, () -> {}).table();
      assertThat(found.value(0, "price_per_hour")).isEqualTo(found.value(1, "price_per_hour"));
      assertThat((Double) found.value(0, "price_per_million_output_tokens"))
          .isLessThan((Double) found.value(1, "price_per_million_output_tokens"));
      assertThat(found.value(0, "currency")).isEqualTo("EUR");
      assertThat(found.value(0, "price_source")).isEqualTo("made up");
      first.add(found.value(0, "policy"));
    }
    assertThat(first.get(1)).isEqualTo(first.get(0));
  }

  @Test
  void prices_areSummedInDecimals() throws IOException {
    String cheap = SPEC.replace("a10: 1,", "a10: 0.1,");
    SweepSpec spec = SweepSpec.read(spec(cheap.replace("[a10:blocks=300]", "[a10, a10, a10]")));
    assertThat(spec.prices().perHour(spec.grid().platforms().getFirst().topology())).isEqualTo(0.3);

    SweepSpec strict = SweepSpec.read(spec(cheap)).withSlo(Slo.parse(List.of("ttft.p50=1us")));
    Table most = new CheapestSearch(strict, List.of("platform=small"), 3).run(1, () -> {}).table();
    assertThat(most.value(0, "replicas")).isEqualTo(3L);
    assertThat(most.value(0, "price_per_hour")).isEqualTo(0.3);
  }

  @Test
  void cheapest_withTooFewReplicas_saysWhatBreaks() throws IOException {
    Table few =
        new CheapestSearch(SweepSpec.read(spec(SPEC)), List.of("platform=small"), 1)
            .run(1, () -> {})
            .table();

    assertThat(few.value(0, "slo_met")).isEqualTo(false);
    assertThat(few.value(0, "rank")).isNull();
    assertThat((String) few.value(0, "breaks")).isNotEmpty();
  }

  @Test
  void oneReplica_isTheScenarioItself() throws IOException {
    SweepPlan plan = SweepPlan.of(SweepSpec.read(spec(SPEC)), new TraceCache());
    SweepTask task = plan.tasks().getFirst();
    Finished run = (Finished) ScenarioRun.run(task, new TraceCache(), ended -> {});

    Probe probe = Probe.of(List.of(task.scenario()), 1, new TraceCache());

    assertThat(probe.ttftP99Nanos() / 1e9).isEqualTo(run.figures().get("ttft_p99_seconds"));
    assertThat(probe.offered()).isEqualTo(run.figures().get("offered_requests_per_second"));
    assertThat(probe.tokensPerSecond()).isEqualTo(run.figures().get("output_tokens_per_second"));
    assertThat(probe.attainment()).isEqualTo(run.figures().get("slo_attainment_ratio"));
  }

  @Test
  void replicas_shareTheRequestsInTurn() throws IOException {
    SweepScenario scenario = SweepSpec.read(spec(SPEC)).scenarios().getFirst();
    List<Long> dealt = new ArrayList<>();
    List<Long> all = new ArrayList<>();
    scenario.requests().open(1).forEachRemaining(request -> all.add(request.arrivalNanos()));
    for (int replica = 0; replica < 7; replica++) {
      DealtReader reader = new DealtReader(scenario.requests().open(1), 7, replica);
      assertThat(reader.hasNext()).isTrue();
      reader.forEachRemaining(request -> dealt.add(request.arrivalNanos()));
      assertThat(dealt.getLast()).isEqualTo(all.get((all.size() - 1 - replica) / 7 * 7 + replica));
    }
    assertThat(dealt).containsExactlyInAnyOrderElementsOf(all);
  }

  @Test
  void whatIsMissing_isNamed() throws IOException {
    SweepSpec spec = SweepSpec.read(spec(SPEC));
    assertThatThrownBy(() -> new CapacitySearch(spec.withSlo(Slo.NONE), List.of(), 0.1))
        .isInstanceOf(SweepException.class)
        .hasMessageContaining("spec has no objective to keep: give the key slo");
    assertThatThrownBy(() -> new CapacitySearch(spec, List.of("platform=smal"), 0.1))
        .isInstanceOf(SweepException.class)
        .hasMessageContaining("did you mean small?");
    String burst = SPEC.replace("rate: 2}", "arrivals: burst}");
    SweepSpec atOnce = SweepSpec.readWithoutRates(spec(burst));
    assertThatThrownBy(() -> new CapacitySearch(atOnce, List.of(), 0.1))
        .isInstanceOf(SweepException.class)
        .hasMessageContaining("workload \"drawn\" arrives all at once")
        .hasMessageContaining("gamma, on-off or diurnal");
    SweepSpec unpriced = SweepSpec.read(spec(SPEC.replaceAll("prices:.*", "")));
    assertThatThrownBy(() -> new CheapestSearch(unpriced, List.of(), 4))
        .hasMessageContaining("has no prices, and none come with the program");
    SweepSpec half = SweepSpec.read(spec(SPEC.replace(", h200: 3.5", "")));
    assertThatThrownBy(() -> new CheapestSearch(half, List.of(), 4))
        .hasMessageContaining("no price of h200");
    assertThat(new CheapestSearch(half, List.of("platform=small"), 4)).isNotNull();
  }
}
