package io.fusespill.engine.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.PreemptionKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Requests bound to one of two devices on arrival, four tokens a block; lines are those of
/// `EventLines`.
class RoutingTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private Given replicas(String policy, String... options) {
    return engine.given().policy(policy, options);
  }

  private Given vllm() {
    return replicas("vllm-0.2.7", "routing", "least-loaded");
  }

  @Test
  void request_shouldBeBoundToTheDeviceWithTheFewestTokens() {
    Run run = vllm().device(16).device(16).start();
    run.arrives(9, 3).arrives(3, 3).arrives(5, 3).arrives(1, 3).arrives(1, 3);
    run.then(
        "route 0 to 0",
        "route 1 to 1",
        "route 2 to 1",
        "route 3 to 1",
        "route 4 to 0",
        "admit 0",
        "admit 4",
        "step 0+9 4+1 new 0,1,2,3 batched 18",
        "admit 1 on 1",
        "admit 2 on 1",
        "admit 3 on 1",
        "step on 1: 1+3 2+5 3+1 new 0,1,2,3 batched 15");
    assertThat(run.view().boundTokens(0)).isEqualTo(10);
    assertThat(run.view().boundTokens(1)).isEqualTo(9);
  }

  @Test
  void output_shouldCountUntilItsSequenceEnds() {
    Run run = vllm().device(16).device(16).start();
    run.arrives(4, 2).arrives(4, 9).thenWhatever();
    run.completes(0).completes(1).thenWhatever();
    assertThat(run.view().boundTokens(0)).isEqualTo(5);
    run.completes(0).then("finish 0 LENGTH");
    assertThat(run.view().boundTokens(0)).isZero();
    assertThat(run.view().boundTokens(1)).isEqualTo(5);
    run.arrives(4, 2).then("route 2 to 0", "admit 2", "step 2+4 new 0");
  }

  /// Both devices are busy: nobody is asked for a step, and still the request is bound at once.
  @Test
  void arrival_shouldBeBoundThoughNoDeviceIsFree() {
    Run run = vllm().device(16).device(16).start();
    run.arrives(8, 9).arrives(4, 9).thenWhatever();
    run.arrives(1, 9).then("route 2 to 1");
    assertThat(run.waiting()).isEmpty();
    assertThat(run.view().waiting(1).get(0).id()).isEqualTo(2);
    assertThat(run.state().waitingSequences()).isEqualTo(1);
    run.completes(0).then("step 0@8+1 new 2");
  }

  /// Device 0 idles while device 1 has more than it can hold: that is what replicas do.
  @Test
  void boundRequest_shouldWaitForItsDeviceThoughAnotherIsFree() {
    Run run = vllm().device(16).device(2).start();
    run.arrives(20, 1).arrives(7, 9).arrives(8, 9);
    run.then(
        "route 0 to 0",
        "route 1 to 1",
        "route 2 to 1",
        "admit 0",
        "step 0+20 new 0,1,2,3,4",
        "admit 1 on 1",
        "step on 1: 1+7 new 0,1");
    run.completes(0).then("finish 0 LENGTH");
    assertThat(run.view().stepInFlight(0)).isNull();
    assertThat(run.view().waiting(1).get(0).id()).isEqualTo(2);
  }

  @Test
  void recomputed_shouldComeToTheFrontOfItsOwnQueue() {
    Run run = engine.given().byHand().device(16).device(16).start();
    run.arrives(4, 9).arrives(4, 9).arrives(4, 9);
    run.decides((view, decisions) -> {
      for (int i = 0; i < 3; i++) {
        decisions.route(view.sequence(i), 1);
      }
    });
    run.admitsOn(1, 0, 1).steps(1, 0, 4, 1, 4).thenWhatever();
    run.completes(1).preempts(1, PreemptionKind.RECOMPUTE);
    assertThat(run.waiting()).isEmpty();
    assertThat(run.view().waiting(1).get(0).id()).isEqualTo(1);
    assertThat(run.view().waiting(1).get(1).id()).isEqualTo(2);
  }

  @Test
  void boundSequence_cannotBeBoundOrAdmittedElsewhere() {
    Run run = engine.given().byHand().device(16).device(16).start();
    run.arrives(4, 9).decides((view, decisions) -> decisions.route(view.sequence(0), 1));
    run.refusesDecision("bound already", (view, d) -> d.route(view.sequence(0), 0));
    run.refusesDecision("bound to another", (view, d) -> d.admit(view.sequence(0), 0));
    run.admitsOn(1, 0).refusesDecision("not waiting", (view, d) -> d.route(view.sequence(0), 0));
  }

  @Test
  void place_thatDoesNotCompute_isNoHome() {
    Run run = engine.given().byHand().device(16).host(16).start();
    run.arrives(4, 9)
        .refusesDecision("place 1 does not compute", (view, d) -> d.route(view.sequence(0), 1));
  }

  @Test
  void whatItsDeviceCanNeverHold_shouldBeRejectedThoughAnotherCould() {
    for (String policy : new String[] {"vllm-0.2.7", "continuous"}) {
      Run run = replicas(policy, "routing", "least-loaded").device(2).device(16).start();
      run.arrives(9, 1).then("route 0 to 0", "reject 0 NEVER_FITS 3/2");
      assertThat(run.view().boundTokens(0)).isZero();
    }
  }

  /// What the other device swapped out neither comes to device 1 nor keeps it from its prompts.
  @Test
  void swapped_shouldComeBackToItsOwnDevice() {
    Run run =
        replicas("vllm-0.2.7", "routing", "least-loaded", "preemption", "swap")
            .device(3)
            .device(3)
            .host(8)
            .start();
    run.arrives(4, 3).arrives(8, 2).arrives(4, 3);
    run.then(
        "route 0 to 0",
        "route 1 to 1",
        "route 2 to 0",
        "admit 0",
        "admit 2",
        "step 0+4 2+4 new 0,1",
        "admit 1 on 1",
        "step on 1: 1+8 new 0,1");
    run.completes(0);
    run.then("preempt 2 SWAP", "swap_out [0>2] 2: 1>0", "step 0@4+1 new 1 after 0");
    run.completes(1).then("step on 1: 1@8+1 new 2");
    run.completes(1).then("finish 1 LENGTH");
    assertThat(run.residents(2)).containsExactly(2);
    run.arrives(1, 1).then("route 3 to 1", "admit 3 on 1", "step on 1: 3+1 new 0");
  }

  @Test
  void continuous_shouldAdmitFromItsOwnQueue() {
    Run run = replicas("continuous", "routing", "least-loaded").device(16).device(16).start();
    run.arrives(4, 1).arrives(2, 1);
    run.then(
        "route 0 to 0",
        "route 1 to 1",
        "admit 0",
        "step 0+4 new 0",
        "admit 1 on 1",
        "step on 1: 1+2 new 0");
  }

  @Test
  void samples_shouldBeBoundAsTheirRequestIs() {
    Run run = vllm().device(16).device(16).start();
    run.arrives(3, 9, 3).thenWhatever();
    run.completes(0).thenWhatever();
    assertThat(run.sequence(2).home()).isZero();
    assertThat(run.view().boundTokens(0)).isEqualTo(12);
  }

  @Test
  void step_shouldTellOfAllThatWait() {
    Run run = vllm().maxNumSeqs(1).device(16).device(16).start();
    run.arrives(3, 9).arrives(3, 9).arrives(3, 9).arrives(3, 9).thenWhatever();
    assertThat(run.log()).filteredOn(SequenceRouted.class::isInstance).hasSize(4);
    assertThat(run.log())
        .filteredOn(StepPlanned.class::isInstance)
        .last()
        .satisfies(event -> assertThat(((StepPlanned) event).waiting()).isEqualTo(2));
  }
}
