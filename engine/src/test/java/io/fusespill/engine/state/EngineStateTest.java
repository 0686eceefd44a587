package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// A log that does not follow from its own beginning is noticed when it is folded, with the ids
/// that do not fit.
class EngineStateTest {

  private static final long NOW = 9_000;

  /// Sequence 0 is in flight in step 0 of device 0 with block 0, sequence 1 waits.
  private static EngineState scene() {
    Run run = new EngineFixture().given().byHand().device(4).host(4).start();
    run.arrives(4, 9).arrives(4, 9).admits(0).steps(0, 0, 4);
    return run.state();
  }

  static Stream<Arguments> misfits() {
    return Stream.of(
        misfit("time goes back from 0 to -1", new SequenceAdmitted(-1, 1, 0)),
        misfit(
            "already started",
            new RunStarted(NOW, "", "", 0, new EngineFixture().given().config())),
        misfit("request 5 with first sequence 2", new RequestArrived(NOW, 5, 2, 1, 1, 1)),
        misfit("request 2 with first sequence 3", new RequestArrived(NOW, 2, 3, 1, 1, 1)),
        misfit("sequence 7 is not live", new SequenceAdmitted(NOW, 7, 0)),
        misfit("sequence 0 is not in the queue", new SequenceAdmitted(NOW, 0, 0)),
        misfit("sequence 7 is not live", new SequenceFinished(NOW, 7, FinishReason.STOP)),
        misfit(
            "sequence 0 cannot leave place 0: 1 steps",
            new SequenceFinished(NOW, 0, FinishReason.STOP)),
        misfit("sequence 0 cannot leave place 0", preempted(0)),
        misfit("sequence 1 cannot leave place -1", preempted(1)),
        misfit(
            "request 7 is not live",
            new RequestRejected(NOW, 7, 9, 1, RejectionReason.NEVER_FITS, 1, 0)),
        misfit("1 steps are in flight, which is all there may be", step(0, 1, 1, 0)),
        misfit("step 3 starts on place 0", step(0, 3, 1, 0)),
        misfit("transfer 1 starts where 0 was due", transfer(1, 0)),
        misfit("block 3 is not the next free one", transfer(0, 3)),
        misfit("transfer 0 is not under way", new TransferCompleted(NOW, 0)));
  }

  private static Arguments misfit(String problem, EngineEvent event) {
    return Arguments.of(problem, event);
  }

  private static SequencePreempted preempted(int sequence) {
    return new SequencePreempted(
        NOW, sequence, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
  }

  private static StepPlanned step(int device, long step, int sequence, int block) {
    StepPlan plan =
        new StepPlan(
            device,
            step,
            Ints.of(sequence),
            Ints.of(4),
            Ints.of(0),
            Ints.of(block),
            List.of(),
            Ints.EMPTY,
            4);
    return new StepPlanned(NOW, plan, 0, 0);
  }

  private static TransferPlanned transfer(int number, int target) {
    return new TransferPlanned(
        NOW,
        new TransferPlan(
            number,
            TransferKind.SWAP_OUT,
            TransferMode.ASYNC,
            0,
            1,
            Ints.of(0),
            Ints.of(0),
            Ints.of(target)));
  }

  @ParameterizedTest
  @MethodSource("misfits")
  void apply_eventThatDoesNotFollow_namesWhatDoesNotFit(String problem, EngineEvent event) {
    EngineState state = scene();
    assertThatThrownBy(() -> state.apply(event))
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void apply_stepEndsTwice_isNoticed() {
    EngineState state = scene();
    StepCompleted done = new StepCompleted(NOW, 0, 0, Ints.EMPTY, Ints.EMPTY);
    state.apply(done);
    assertThatThrownBy(() -> state.apply(done)).isExactlyInstanceOf(IllegalStateException.class);
  }

  @Test
  void apply_stepWithAnotherBlock_isNoticed() {
    EngineState state = scene();
    state.apply(new StepCompleted(NOW, 0, 0, Ints.EMPTY, Ints.EMPTY));
    state.apply(new SequenceAdmitted(NOW, 1, 0));
    state.apply(new ResidentsSorted(NOW, 0));
    assertThatThrownBy(() -> state.apply(step(0, 1, 1, 3)))
        .hasMessageContaining("block 3 is not the next free one");
  }

  @Test
  void config_beforeTheStart_saysSo() {
    assertThatThrownBy(() -> new EngineState().config())
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessageContaining("RunStarted must be the first event");
  }
}
