package io.fusespill.replay.timeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.explain.LifeLines;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.timeline.BusyTimes.Work;
import io.fusespill.replay.timeline.PoolUse.Mark;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.PublishedLengths;
import io.fusespill.traces.WorkloadGenerator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Folds over pressured runs, against what other folds count: with transfers before steps
/// (`vllm-0.2.7`), and beside them with a host that attends for two devices (`fusespill`).
class FoldsOfARunTest {

  private static final Map<String, List<EngineEvent>> LOGS = new LinkedHashMap<>();

  @BeforeAll
  static void simulate() {
    LOGS.put("vllm-0.2.7", log(PolicySpec.of("vllm-0.2.7").with("preemption", "swap"), null));
    LOGS.put("fusespill", log(PolicySpec.of("fusespill"), "xeon-8358p"));
  }

  private static List<EngineEvent> log(PolicySpec policy, String host) {
    List<EngineEvent> log = new ArrayList<>();
    Scenario scenario =
        new Scenario(
            "vicuna-7b",
            List.of(DeviceSpec.parse("a10:blocks=200"), DeviceSpec.parse("a10:blocks=200")),
            "pcie4-16gbps",
            16,
            host,
            policy,
            new Scenario.Limits(0, 0, 0, 0, 0),
            Scenario.Serving.DEFAULT,
            "roofline",
            Faults.NONE,
            1,
            0,
            JsonNodeFactory.instance.objectNode());
    new Simulation(
            scenario.resolve().setup(),
            new WorkloadGenerator(
                PublishedLengths.named("sharegpt"),
                LengthFilter.FUSESPILL_PAPER,
                ArrivalProcess.atOnce(),
                150,
                0),
            event -> {
              log.add(event);
              return log.size() - 1L;
            },
            (arrived, live, now) -> {})
        .run();
    return log;
  }

  private static RunMetrics metrics(List<EngineEvent> log) {
    RunMetrics metrics = new RunMetrics(new Latencies(outcome -> {}));
    log.forEach(metrics::accept);
    return metrics;
  }

  @ParameterizedTest
  @ValueSource(strings = {"vllm-0.2.7", "fusespill"})
  void poolUse_countsWhatTheReportCounts(String policy) {
    List<EngineEvent> log = LOGS.get(policy);
    PoolUse pools = new PoolUse(Span.ALL);
    log.forEach(pools::accept);
    RunMetrics metrics = metrics(log);

    long preempted =
        total(pools, Mark.RECOMPUTE) + total(pools, Mark.SWAP) + total(pools, Mark.OFFLOAD);
    assertThat(preempted).isEqualTo(metrics.preemptions()).isPositive();
    assertThat(total(pools, Mark.ADMITTED))
        .isEqualTo(log.stream().filter(SequenceAdmitted.class::isInstance).count());
    assertThat(total(pools, Mark.BACK)).isPositive();
    for (int place = 0; place < 2; place++) {
      int peak = 0;
      for (int bin = 0; bin < pools.bins(); bin++) {
        peak = Math.max(peak, pools.peakBlocks(place, bin));
        assertThat(pools.meanBlocks(place, bin)).isBetween(0.0, 200.0);
      }
      assertThat(peak).isBetween(metrics.usedBlocksMax(place), 200);
    }
    assertThat(pools.binUntilNanos(pools.bins() - 1)).isEqualTo(metrics.durationNanos());
  }

  private static long total(PoolUse pools, Mark mark) {
    long total = 0;
    for (int bin = 0; bin < pools.bins(); bin++) {
      total += pools.marks(mark, bin);
    }
    return total;
  }

  @ParameterizedTest
  @ValueSource(strings = {"vllm-0.2.7", "fusespill"})
  void busyTimes_ofDevicesAreTheReports(String policy) {
    BusyTimes busy = new BusyTimes(Span.ALL);
    LOGS.get(policy).forEach(busy::accept);
    RunMetrics metrics = metrics(LOGS.get(policy));

    for (int device = 0; device < 2; device++) {
      double nanos = 0;
      for (Work work : Work.values()) {
        nanos += busy.busyNanos(device, work);
      }
      assertThat(nanos).isCloseTo((double) metrics.busyNanos(device), within(1.0));
    }
    for (int lane = 0; lane < busy.lanes().size(); lane++) {
      for (int bin = 0; bin < busy.bins(); bin++) {
        double share = 0;
        for (Work work : Work.values()) {
          share += busy.share(lane, work, bin);
        }
        assertThat(share).as("%s", busy.lanes().get(lane)).isBetween(0.0, 1.000001);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"vllm-0.2.7", "fusespill"})
  void busyTimes_ofLinksAreWhatTheirBandwidthSays(String policy) {
    BusyTimes busy = new BusyTimes(Span.ALL);
    LOGS.get(policy).forEach(busy::accept);
    RunStarted started = (RunStarted) LOGS.get(policy).getFirst();
    List<Link> links = started.config().topology().links();
    double[] nanos = new double[links.size()];
    for (EngineEvent event : LOGS.get(policy)) {
      if (event instanceof TransferPlanned planned) {
        TransferPlan plan = planned.plan();
        int link = started.config().topology().linkIndex(plan.from(), plan.to());
        nanos[link] +=
            plan.blocks()
                * (started.config().kv().blockBytes() * 1e9 / links.get(link).bytesPerSecond()
                    + (double) started.config().kv().copiesPerBlock()
                        * links.get(link).copyNanos());
      }
    }
    for (int link = 0; link < links.size(); link++) {
      assertThat(nanos[link]).isPositive();
      assertThat(busy.busyNanos(started.config().topology().places().size() + link, Work.TRANSFER))
          .isCloseTo(nanos[link], within(0.001 * nanos[link]));
    }
  }

  @Test
  void busyTimes_ofAHostThatAttendsForTwoAreCountedOnce() {
    BusyTimes busy = new BusyTimes(Span.ALL);
    LOGS.get("fusespill").forEach(busy::accept);
    int host = 2;

    double kept = 0;
    long before = 0;
    for (BusyTimes.Busy time : busy.times(host)) {
      assertThat(time.fromNanos()).isGreaterThanOrEqualTo(before);
      before = time.untilNanos();
      kept += time.untilNanos() - time.fromNanos();
    }
    assertThat(kept).isPositive().isCloseTo(busy.busyNanos(host, Work.ATTENTION), within(1.0));
  }

  @Test
  void stepTimes_areForetoldButForWhatTheOtherDeviceAsksOfTheHostMeanwhile() {
    StepTimes times = new StepTimes(Span.ALL);
    LOGS.get("fusespill").forEach(times::accept);
    RunMetrics metrics = metrics(LOGS.get("fusespill"));

    assertThat(times.pairs().count()).isEqualTo(metrics.steps(0) + metrics.steps(1));
    assertThat(times.pairs().meanRelativeError()).isBetween(0.001, 0.1);

    StepTimes none = new StepTimes(Span.ALL);
    LOGS.get("vllm-0.2.7").forEach(none::accept);
    assertThat(none.pairs().count()).as("a policy that estimates nothing").isZero();
  }

  @Test
  void remainingLengths_areOfThePredictor() {
    RemainingLengths lengths = new RemainingLengths();
    LOGS.get("fusespill").forEach(lengths::accept);
    assertThat(lengths.predictor()).isPresent();
    assertThat(lengths.pairs().count()).isGreaterThan(100);
    assertThat(lengths.pairs().meanError()).isBetween(10.0, 1_000.0);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 40, 1_000})
  void lifeLines_areSpreadOverTheRun(int lines) {
    LifeLines lives = new LifeLines(lines, Span.ALL);
    List<EngineEvent> log = LOGS.get("fusespill");
    for (int i = 0; i < log.size(); i++) {
      lives.accept(i, log.get(i));
    }
    lives.close();

    List<Integer> sequences = lives.stories().stream().map(Story::sequence).toList();
    assertThat(sequences).isSorted().doesNotHaveDuplicates();
    assertThat(sequences).hasSizeBetween(Math.min(150, (lines + 1) / 2), Math.min(150, lines));
    if (sequences.size() > 3) {
      assertThat(sequences.getFirst()).isLessThan(150 / 2);
      assertThat(sequences.getLast()).isGreaterThanOrEqualTo(150 / 2);
    }
  }
}
