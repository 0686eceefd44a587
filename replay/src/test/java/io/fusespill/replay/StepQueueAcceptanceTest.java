package io.fusespill.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RequestOutcome.Ending;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.state.EngineState;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.TraceRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Two A10 of 80 blocks each, a host that attends, and 5 ms from a step's end to the start of one
/// planned in answer: whatever the depth of the queues, every request gets the tokens of its trace,
/// and the log decides again to the same bytes.
class StepQueueAcceptanceTest {

  private static final long SUBMIT_NANOS = 5_000_000;
  private static final int DEPTHS = 8;

  private record Result(RunReport report, List<RequestOutcome> outcomes, List<EngineEvent> events) {
    RunMetrics metrics() {
      return report.metrics();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"continuous", "fusespill"})
  void everyDepth_givesEachRequestTheTokensOfItsTrace(String policy) {
    List<TraceRequest> workload = workload();
    long tokens = workload.stream().mapToLong(TraceRequest::outputTokens).sum();
    for (int depth = 1; depth <= DEPTHS; depth++) {
      Result result = run(policy, depth, Faults.NONE);
      assertThat(result.outcomes()).hasSameSizeAs(workload);
      for (int i = 0; i < workload.size(); i++) {
        assertThat(result.outcomes().get(i).ending()).isEqualTo(Ending.COMPLETED);
        assertThat(result.outcomes().get(i).outputTokens())
            .as("request %d under %s at depth %d", i, policy, depth)
            .isEqualTo(workload.get(i).outputTokens());
      }
      assertThat(result.metrics().outputTokens()).isEqualTo(tokens);
      assertThat(result.metrics().wastedTokens() > 0)
          .as("tokens wasted at depth %d", depth)
          .isEqualTo(depth > 1);
      assertThat(result.metrics().preemptions()).as("a run under pressure").isPositive();
      assertThat(busyNanos(result)).isEqualTo(reportedBusyNanos(result));
      assertVerifies(result);
      System.out.printf(
          "%-10s depth %d: utilisation %.3f and %.3f, %.1f s, %,d tokens, %,d wasted, %,d remote%n",
          policy,
          depth,
          result.report().utilisation(0),
          result.report().utilisation(1),
          result.report().durationSeconds(),
          result.metrics().outputTokens(),
          result.metrics().wastedTokens(),
          result.metrics().remoteDecodes());
    }
  }

  private static long busyNanos(Result result) {
    return result.metrics().busyNanos(0) + result.metrics().busyNanos(1);
  }

  private static long reportedBusyNanos(Result result) {
    return result.events().stream()
        .filter(StepCompleted.class::isInstance)
        .mapToLong(event -> ((StepCompleted) event).busyNanos())
        .sum();
  }

  /// Steps and transfers fail, and clients give up.
  @ParameterizedTest
  @CsvSource({"continuous, 2", "continuous, 5", "fusespill, 2", "fusespill, 5", "fusespill, 8"})
  void faults_costWhatTheyStrikeAndTheLogVerifies(String policy, int depth) {
    Result result = run(policy, depth, new Faults(10_000, 20_000, 50_000, 1_000_000_000L));
    assertThat(result.metrics().failedSteps()).isPositive();
    assertThat(result.metrics().failed()).as("requests that failed 10 times in a row").isZero();
    assertThat(result.metrics().completed() + result.metrics().cancelled())
        .isEqualTo(result.metrics().arrived());
    List<TraceRequest> workload = workload();
    for (RequestOutcome outcome : result.outcomes()) {
      if (outcome.ending() == Ending.COMPLETED) {
        assertThat(outcome.outputTokens())
            .isEqualTo(workload.get(outcome.request()).outputTokens());
      }
    }
    assertVerifies(result);
  }

  private static void assertVerifies(Result result) {
    Verifier verifier = new Verifier(PolicyKind::create);
    EventEncoder encoder = new EventEncoder();
    EngineState folded = new EngineState();
    List<EngineEvent> events = result.events();
    for (int position = 0; position < events.size(); position++) {
      int length = encoder.encode(position, events.get(position));
      assertThat(verifier.accept(position, events.get(position), encoder.bytes(), length))
          .as("re-decided at %d: %s", position, verifier.divergence())
          .isTrue();
      folded.apply(events.get(position));
    }
    assertThat(verifier.stateHash()).isEqualTo(folded.hash());
  }

  private static List<TraceRequest> workload() {
    List<TraceRequest> workload = new ArrayList<>();
    for (int i = 0; i < 80; i++) {
      workload.add(new TraceRequest(i * 10_000_000L, 20 + 37 * i % 150, 15 + 53 * i % 140));
    }
    return workload;
  }

  private static Result run(String policy, int depth, Faults faults) {
    ResolvedScenario scenario =
        new Scenario(
                "vicuna-7b",
                List.of(DeviceSpec.parse("a10:blocks=80"), DeviceSpec.parse("a10:blocks=80")),
                "pcie4-16gbps",
                2,
                policy.equals("fusespill") ? "xeon-8358p" : null,
                PolicySpec.of(policy),
                new Scenario.Limits(0, 0, 0, 1_024, 0),
                new Scenario.Serving("", depth, SUBMIT_NANOS),
                "roofline",
                faults,
                1,
                7,
                JsonNodeFactory.instance.objectNode())
            .resolve();
    List<RequestOutcome> outcomes = new ArrayList<>();
    Latencies latencies = new Latencies(outcomes::add);
    RunMetrics metrics = new RunMetrics(latencies);
    List<EngineEvent> events = new ArrayList<>();
    new Simulation(
            scenario.setup(),
            workload().iterator(),
            event -> {
              metrics.accept(event);
              events.add(event);
              return events.size() - 1;
            },
            (arrived, live, now) -> {})
        .run();
    outcomes.sort(Comparator.comparingInt(RequestOutcome::request));
    return new Result(new RunReport(metrics, latencies), outcomes, events);
  }
}
