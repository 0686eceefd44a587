package io.fusespill.replay.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.replay.evaluate.CellResult.Failed;
import io.fusespill.replay.evaluate.CellResult.Ran;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Machine;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.workload.GeneratedWorkload;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ComparisonTest {

  private static final Platform PLATFORM =
      new Platform("one", new Machine(List.of(DeviceSpec.parse("a10")), "pcie4", 4));
  private static final NamedWorkload WORKLOAD =
      new NamedWorkload(
          "w",
          new GeneratedWorkload(
              "sharegpt", null, null, 1, "burst", null, null, null, null, null, null, null));
  private static final PolicyRow SLOW = row("slow", Standing.BASELINE);
  private static final PolicyRow FAST = row("fast", Standing.BASELINE);
  private static final PolicyRow OURS = row("ours", Standing.CONTENDER);
  private static final PolicyRow ENDLESS = row("endless", Standing.BOUND);

  @Test
  void of_gainsAreOverTheBestBaselineAndNeverOverABound() {
    List<CellResult> results = new ArrayList<>();
    results.addAll(ran(SLOW, 100));
    results.addAll(ran(FAST, 200));
    results.addAll(ran(OURS, 250));
    results.addAll(ran(ENDLESS, 900));

    List<ComparedRow> rows = Comparison.of(results).getFirst().rows();

    assertThat(rows).extracting(ComparedRow::best).containsExactly(false, true, false, false);
    assertThat(rows.get(1).gain()).isNull();
    assertThat(gain(rows.get(0)).share().mean()).isEqualTo(-0.5);
    assertThat(gain(rows.get(2)).share().mean()).isEqualTo(0.25);
    assertThat(gain(rows.get(2)).significant()).isTrue();
    assertThat(gain(rows.get(3)).share().mean()).isEqualTo(3.5);
  }

  // Seed by seed: 110/100 and 180/200, +10 % and -10 %: mean 0, spread sqrt(2 · 0.1²) = 0.1414.
  @Test
  void of_severalSeeds_comparesSeedBySeed() {
    List<CellResult> results = new ArrayList<>();
    results.addAll(ran(FAST, 100, 200));
    results.addAll(ran(OURS, 110, 180));
    results.addAll(ran(ENDLESS, 150, 310));

    List<ComparedRow> rows = Comparison.of(results).getFirst().rows();

    assertThat(rows.get(0).figure("output_throughput"))
        .isEqualTo(new Statistic(150, Math.sqrt(5_000), 2));
    assertThat(gain(rows.get(1)).share().mean()).isCloseTo(0, within(1e-12));
    assertThat(gain(rows.get(1)).share().spread()).isCloseTo(0.141421, within(1e-6));
    assertThat(gain(rows.get(1)).significant()).isFalse();
    assertThat(gain(rows.get(2)).significant()).isTrue();
  }

  @Test
  void of_failedSeeds_areCountedAndNotCompared() {
    List<CellResult> results = new ArrayList<>(ran(FAST, 100));
    results.add(new Failed(cell(FAST, 1), "no"));
    results.addAll(ran(OURS, 150, 999));

    List<ComparedRow> rows = Comparison.of(results).getFirst().rows();

    assertThat(rows.get(0).failures()).isEqualTo(1);
    assertThat(gain(rows.get(1)).share()).isEqualTo(new Statistic(0.5, 0, 1));
  }

  @Test
  void of_noBaseline_hasNoGains() {
    assertThat(Comparison.of(ran(OURS, 5)).getFirst().rows().getFirst().gain()).isNull();
  }

  private static ComparedRow.Gain gain(ComparedRow row) {
    return Objects.requireNonNull(row.gain());
  }

  private static List<CellResult> ran(PolicyRow row, double... throughputs) {
    List<CellResult> results = new ArrayList<>();
    for (double throughput : throughputs) {
      results.add(new Ran(cell(row, results.size()), Map.of(ComparedRow.THROUGHPUT, throughput)));
    }
    return results;
  }

  private static Cell cell(PolicyRow row, long seed) {
    return new Cell(PLATFORM, "vicuna-7b", WORKLOAD, row, seed, new Scenario.Limits(0, 0, 0, 0, 0));
  }

  private static PolicyRow row(String name, Standing standing) {
    return new PolicyRow(
        name,
        PolicySpec.of("continuous"),
        List.of(),
        List.of(),
        0,
        0,
        Scenario.Serving.DEFAULT,
        standing);
  }
}
