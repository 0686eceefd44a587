package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.state.EngineState;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Inputs that do not fit are refused before they are logged; those of one instant are one batch.
class InputTest {

  private static final long NOW = 5_000;

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  /// Sequence 0 decodes on device 0, sequence 1 of two prefills beside it, 3 waits; sequence 4 has
  /// ended, transfer 0 is done.
  private Run busy() {
    Run run = engine.given().byHand().device(16).device(4).host(8).start();
    run.arrives(4, 9).arrives(6, 9, 2).arrives(3, 9).arrives(1, 9).cancels(3);
    run.admits(0, 1).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 2, TransferMode.ASYNC, 0).transferCompletes(0);
    run.transfers(2, 0, TransferMode.ASYNC, 0).transferCompletes(1);
    run.steps(0, 0, 1, 1, 6).thenWhatever();
    return run.at(NOW);
  }

  static Stream<Arguments> misfits() {
    return Stream.of(
        misfit(
            "already started",
            new RunStarted(NOW, "", "", 0, new EngineFixture().given().config())),
        misfit("time goes back from 1000 to 999 ns", new RequestArrived(999, 4, 5, 1, 1, 1)),
        misfit("time goes back from 1000 to -1 ns", new RequestCancelled(-1, 0)),
        misfit("request 4 with sequence 5 was due", new RequestArrived(NOW, 3, 5, 1, 1, 1)),
        misfit("request 4 with sequence 5 was due", new RequestArrived(NOW, 5, 5, 1, 1, 1)),
        misfit("request 4 with sequence 5 was due", new RequestArrived(NOW, 4, 4, 1, 1, 1)),
        misfit("no such request", new RequestCancelled(NOW, 4)),
        misfit("no such request", new RequestCancelled(NOW, -1)),
        misfit("no such device", completed(3, 0)),
        misfit("no such device", completed(-1, 0)),
        misfit("no such device", completed(2, 0)),
        misfit("step 0 is not in flight", completed(1, 0)),
        misfit("step 0 is not in flight", completed(0, 0)),
        misfit("step 2 is not in flight", completed(0, 2)),
        misfit("sequence 3 took no token", completed(0, 1, 0, 3)),
        misfit("sequence 4 took no token", completed(0, 1, 4)),
        misfit("sequence 5 took no token", completed(0, 1, 5)),
        misfit("sequence -1 took no token", completed(0, 1, -1)),
        misfit("no such device", new SequenceFailed(NOW, 3, 0, 0, "")),
        misfit("step 0 is not in flight", new SequenceFailed(NOW, 0, 0, 0, "")),
        misfit("sequence 3 took no token", new SequenceFailed(NOW, 0, 1, 3, "")),
        misfit("sequence -1 took no token", new SequenceFailed(NOW, 0, 1, -1, "")),
        misfit("no such device", new StepFailed(NOW, 3, 0, "")),
        misfit("step 0 is not in flight", new StepFailed(NOW, 0, 0, "")),
        misfit("step 0 is not in flight", new StepFailed(NOW, 1, 0, "")),
        misfit("not under way", new TransferCompleted(NOW, 0)),
        misfit("not under way", new TransferCompleted(NOW, 2)),
        misfit("not under way", new TransferCompleted(NOW, -1)),
        misfit("not under way", new TransferFailed(NOW, 1, "")));
  }

  private static Arguments misfit(String problem, InputEvent input) {
    return Arguments.of(problem, input);
  }

  private static StepCompleted completed(int device, long step, int... ended) {
    return new StepCompleted(NOW, device, step, Ints.of(ended), Ints.EMPTY);
  }

  @ParameterizedTest
  @MethodSource("misfits")
  void accept_inputThatDoesNotFit_changesNothing(String problem, InputEvent input) {
    Run run = busy();
    run.refuses(input, problem, input.getClass().getSimpleName());
    run.completes(0, 0, 2).then("finish 0 STOP", "finish 2 STOP");
  }

  static Stream<InputEvent> notTheStart() {
    return Stream.of(
        new RequestArrived(0, 0, 0, 1, 1, 1),
        new RequestCancelled(0, 0),
        completed(0, 0),
        new SequenceFailed(0, 0, 0, 0, ""),
        new StepFailed(0, 0, 0, ""),
        new TransferCompleted(0, 0),
        new TransferFailed(0, 0, ""));
  }

  @ParameterizedTest
  @MethodSource("notTheStart")
  void accept_beforeTheStart_changesNothing(InputEvent input) {
    engine.given().unstarted().refuses(input, "the first event must be RunStarted");
  }

  @Test
  void accept_startBeforeTimeZero_changesNothing() {
    Run run = engine.given().unstarted();
    run.refuses(new RunStarted(-1, "", "", 0, engine.given().config()), "time goes back");
  }

  @Test
  void accept_laterInstantBeforePoliciesWereAsked_changesNothing() {
    Run run = engine.given().start();
    run.at(10).arrives(1, 1);
    run.refuses(
        new RequestArrived(11, 1, 1, 1, 1, 1),
        "input at 11 ns before the policies were asked at 10 ns");
    run.arrives(1, 1).then("admit 0", "admit 1", "step 0+1 1+1 new 0,1");
  }

  @Test
  void accept_sameInstantAfterPoliciesWereAsked_isABatchOfItsOwn() {
    Run run = engine.given().start();
    run.at(10).arrives(1, 1).then("admit 0", "step 0+1 new 0");
    run.at(10).arrives(1, 1).then();
    run.at(10).completes(0).then("finish 0 LENGTH", "admit 1", "step 1+1 new 0");
  }

  @Test
  void accept_logThatFails_changesNothing() {
    List<EngineEvent> log = new ArrayList<>();
    Engine failing =
        new Engine(
            engine.given().config(),
            event -> {
              if (log.size() == 1) {
                throw new IllegalStateException("disk full");
              }
              log.add(event);
              return 0;
            });
    failing.accept(new RunStarted(0, "", "", 0, engine.given().config()));
    long hash = failing.state().hash();
    assertThatThrownBy(() -> failing.accept(new RequestArrived(0, 0, 0, 1, 1, 1)))
        .hasMessage("disk full");
    assertThat(failing.state().hash()).isEqualTo(hash);
  }

  @Test
  void schedule_everyNEvents_logsACheckpointOfTheStateBeforeIt() {
    Run run = engine.given().checkpointEvents(4).start();
    run.arrives(1, 4).then("admit 0", "step 0+1 new 0", "checkpoint");
    run.completes(0).then("step 0@1+1");
    run.completes(0).then("step 0@2+1", "checkpoint");
    run.completes(0).then("step 0@3+1");
    run.completes(0).then("finish 0 LENGTH", "checkpoint");
    EngineState folded = new EngineState();
    for (EngineEvent event : run.log()) {
      if (event instanceof Checkpointed checkpoint) {
        assertThat(checkpoint.stateHash()).as("at %d", folded.events()).isEqualTo(folded.hash());
      }
      folded.apply(event);
    }
  }

  @Test
  void schedule_withoutCheckpointEvents_logsNone() {
    Run run = engine.given().checkpointEvents(0).start();
    for (int i = 0; i < 50; i++) {
      run.arrives(1, 1).drains();
    }
    assertThat(run.log()).noneMatch(Checkpointed.class::isInstance);
  }

  @Test
  void checkpoint_onDemand_returnsTheHashThatItLogs() {
    Run run = engine.given().start();
    long hash = run.state().hash();
    assertThat(run.checkpoints()).isEqualTo(hash);
    assertThat(run.log().getLast()).isEqualTo(new Checkpointed(0, hash));
    run.engine().schedule();
    assertThat(run.log()).hasSize(2);
  }
}
