package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.policy.Decisions;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.engine.policy.StepDraft;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import io.fusespill.traces.TraceRequest;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Policies that compute a token a step: one that gets nowhere, and one that is as slow as can be.
class ProgressGuardTest {

  /// Computes a token of the first sequence and then has it recomputed.
  private static final class Sisyphus implements SchedulingPolicy {

    @Override
    public Round schedule(EngineView view, int device, Decisions decisions) {
      if (!view.residents(device).isEmpty()) {
        Sequence sequence = view.residents(device).get(0);
        decisions.preempt(sequence, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
      }
      if (!view.waiting().isEmpty()) {
        Sequence next = view.waiting().get(0);
        decisions.admit(next, device);
        start(next, device, decisions);
      }
      return Round.SETTLED;
    }
  }

  /// Takes all sequences in at once, and always computes a token of the one that has the fewest.
  private static final class OneTokenEach implements SchedulingPolicy {

    @Override
    public Round schedule(EngineView view, int device, Decisions decisions) {
      while (!view.waiting().isEmpty()) {
        decisions.admit(view.waiting().get(0), device);
      }
      SequenceQueue residents = view.residents(device);
      if (!residents.isEmpty()) {
        Sequence last = residents.get(0);
        for (int i = 1; i < residents.size(); i++) {
          if (residents.get(i).computedTokens() < last.computedTokens()) {
            last = residents.get(i);
          }
        }
        start(last, device, decisions);
      }
      return Round.SETTLED;
    }
  }

  private static void start(Sequence sequence, int device, Decisions decisions) {
    StepDraft draft = decisions.draft(device);
    draft.add(sequence, 1);
    decisions.start(draft, draft.tokens());
  }

  private long events;

  private Simulation simulation(SchedulingPolicy policy, int requests, int promptTokens) {
    ResolvedScenario scenario =
        new Scenario(
                "vicuna-7b",
                List.of(DeviceSpec.parse("a10:blocks=20000")),
                "pcie4",
                0,
                null,
                PolicySpec.of("continuous"),
                new Scenario.Limits(0, 0, 0, 0, 0),
                new Scenario.Serving("none", 1, 0),
                "roofline",
                Faults.NONE,
                1,
                7,
                JsonNodeFactory.instance.objectNode())
            .resolve();
    World world = scenario.world();
    return new Simulation(
        new Simulation.Setup(
            scenario.setup().start(), new World(world.models(), Faults.NONE, config -> policy), 1),
        Collections.nCopies(requests, new TraceRequest(0, promptTokens, 1)).iterator(),
        this::append,
        (arrived, live, now) -> {});
  }

  private long append(EngineEvent event) {
    return events++;
  }

  @Test
  void livelock_endsAndSaysWhoIsWhere() {
    Simulation simulation = simulation(new Sisyphus(), 3, 20);
    assertThatThrownBy(simulation::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("policy continuous makes no progress: 200,000 instants")
        .hasMessageContaining("at position " + events)
        .hasMessageContaining("3 requests live")
        .hasMessageContaining(
            "sequence 0 running in a10, 0 of 20 tokens computed, preempted 200,000 times")
        .hasMessageContaining("seed 7");
    assertThat(events).isLessThan(10 * ProgressGuard.INSTANTS_MIN);
  }

  /// All prompts are computed a token a step, before the first of them has an output token.
  @Test
  void slowestLegalRun_isLeftAlone() {
    int requests = 128;
    int promptTokens = 1_600;
    assertThat((long) requests * promptTokens).isGreaterThan(2 * ProgressGuard.INSTANTS_MIN);
    Simulation simulation = simulation(new OneTokenEach(), requests, promptTokens);
    simulation.run();
    assertThat(simulation.state().liveRequests()).isZero();
    assertThat(simulation.state().nextStep(0)).isEqualTo((long) requests * promptTokens);
  }
}
