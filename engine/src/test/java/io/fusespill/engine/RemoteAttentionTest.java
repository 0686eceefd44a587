package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.policy.StepDraft;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A device decodes sequences whose KV lies on a host that attends; their blocks grow there.
class RemoteAttentionTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private Given given() {
    return engine.given().byHand().device(8).attendingHost(8);
  }

  /// The sequences with numbers from 0 up, computed on device 0 and then copied to `host` together.
  private static Run rest(Run run, int host, int... sequences) {
    run.completes(0).transfers(0, host, TransferMode.ASYNC, sequences).thenWhatever();
    return run.transferCompletes(run.state().nextTransfer() - 1);
  }

  private Run oneAtRest(Given given, int promptTokens) {
    Run run = given.start();
    run.arrives(promptTokens, 9).admits(0).steps(0, 0, promptTokens).thenWhatever();
    rest(run, 1, 0).thenWhatever();
    return run;
  }

  @Test
  void decode_shouldGrowInTheHostsPool() {
    Run run = oneAtRest(given(), 4);
    run.decodesRemotely(0, 0).then("step 0@4+1 last 1 at 1 new 1");
    assertThat(run.table(0)).containsExactly(0, 1);
    assertThat(run.free(1)).isEqualTo(6);
    assertThat(run.free(0)).isEqualTo(8);
    assertThat(run.sequence(0).pinned()).isTrue();
    assertThat(run.sequence(0).stepper()).isZero();
    run.completes(0).then();
    assertThat(run.sequence(0).outputTokens()).isEqualTo(2);
    assertThat(run.residents(1)).containsExactly(0);
  }

  @Test
  void remoteEntries_shouldComeAfterAllOthers() {
    Run run = given().start();
    run.arrives(4, 9).arrives(3, 9).admits(0, 1).steps(0, 0, 4, 1, 3).thenWhatever();
    rest(run, 1, 0).thenWhatever();
    run.refusesDecision(
        "cannot compute",
        (view, decisions) -> {
          StepDraft draft = decisions.draft(0);
          draft.addRemote(view.sequence(0));
          draft.add(view.sequence(1), 1);
        });
    run.decides((view, decisions) -> {
      StepDraft draft = decisions.draft(0);
      draft.add(view.sequence(1), 1);
      draft.addRemote(view.sequence(0));
      decisions.start(draft, draft.tokens());
    });
    run.then("step 1@3+1 0@4+1 last 1 at 1 new 1");
  }

  @Test
  void hostThatDoesNotAttend_shouldBeRefused() {
    Run run = oneAtRest(engine.given().byHand().device(8).host(8), 4);
    assertRefused(run, 0, 0);
  }

  @Test
  void hostWithoutAWayBack_shouldBeRefused() {
    Run run = oneAtRest(given().link(0, 1), 4);
    assertRefused(run, 0, 0);
  }

  @Test
  void runningSequence_shouldBeRefused() {
    Run run = given().start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).thenWhatever();
    assertRefused(run, 0, 0);
  }

  @Test
  void movingSequence_shouldBeRefused() {
    Run run = oneAtRest(given(), 4);
    run.transfers(1, 0, TransferMode.ASYNC, 0);
    assertRefused(run, 0, 0);
  }

  @Test
  void secondEntryForASequence_shouldBeRefused() {
    Run run = oneAtRest(given().maxStepsInFlight(2), 4);
    run.refusesDecision(
        "cannot decode sequence 0 remotely",
        (view, decisions) -> {
          StepDraft draft = decisions.draft(0);
          draft.addRemote(view.sequence(0));
          draft.addRemote(view.sequence(0));
        });
  }

  @Test
  void sharedLastBlock_shouldBeRefused() {
    Run run = given().start();
    run.arrives(6, 9, 2).admits(0).steps(0, 0, 6).thenWhatever();
    rest(run, 1, 0, 1).thenWhatever();
    assertThat(run.table(0)).isEqualTo(run.table(1));
    assertRefused(run, 0, 0);
    assertRefused(run, 0, 1);
  }

  @Test
  void sharedFullBlocks_shouldNotMatter() {
    Run run = given().start();
    run.arrives(4, 9, 2).admits(0).steps(0, 0, 4).thenWhatever();
    rest(run, 1, 0, 1).thenWhatever();
    run.decodesRemotely(0, 0, 1).then("step 0@4+1 1@4+1 last 2 at 1 new 1,2");
  }

  /// Its samples would have to come to life on the host, out of a prompt and not of a decode.
  @Test
  void promptWithSamplesToFork_shouldBeRefused() {
    Run run = given().start();
    run.arrives(5, 9, 2).admits(0).steps(0, 0, 4).thenWhatever();
    rest(run, 1, 0).thenWhatever();
    assertThat(run.sequence(0).pendingTokens()).isEqualTo(1);
    assertRefused(run, 0, 0);
  }

  @Test
  void severalTokensToCompute_shouldBeRefused() {
    Run run = given().start();
    run.arrives(6, 9).admits(0).steps(0, 0, 4).thenWhatever();
    rest(run, 1, 0).thenWhatever();
    assertRefused(run, 0, 0);
  }

  @Test
  void sequenceInAnotherDevicesStep_shouldBeRefused() {
    Run run = twoDevices();
    run.decodesRemotely(0, 0);
    assertThat(run.sequence(0).pendingTokens()).isEqualTo(1);
    assertRefused(run, 1, 0);
    run.decodesRemotely(0, 0);
    run.completes(0).completes(0).decodesRemotely(1, 0);
    run.then(
        "step 0@4+1 last 1 at 2 new 1", "step 0@5+1 last 1 at 2", "step on 1: 0@6+1 last 1 at 2");
    assertThat(run.sequence(0).stepper()).isEqualTo(1);
  }

  private Run twoDevices() {
    Run run =
        engine.given().byHand().maxStepsInFlight(2).device(8).device(8).attendingHost(8).start();
    run.arrives(4, 30).admits(0).steps(0, 0, 4).thenWhatever();
    rest(run, 2, 0).thenWhatever();
    return run;
  }

  /// The copy to the host has not run yet, and only the device that is to run it orders it before
  /// its steps.
  @Test
  void sequenceInAnotherDevicesOrderedTransfer_shouldBeRefused() {
    Run run =
        engine.given().byHand().maxStepsInFlight(2).device(8).device(8).attendingHost(8).start();
    run.arrives(4, 30).admits(0).steps(0, 0, 4).thenWhatever();
    rest(run, 1, 0).thenWhatever();
    run.transfers(1, 2, TransferMode.ORDERED, 0);
    assertRefused(run, 0, 0);
    run.decodesRemotely(1, 0);
    run.then("swap_out [1>2] 0: 0>0", "step on 1: 0@4+1 last 1 at 2 new 1 after 1");
    assertRefused(run, 0, 0);
  }

  @Test
  void fullHost_shouldBeRefused() {
    Run run = oneAtRest(engine.given().byHand().device(8).attendingHost(1), 4);
    assertRefused(run, 0, 0);
  }

  @Test
  void hostBlocksOfADraft_shouldNotBeGivenAwayBySomebodyElsesTransfer() {
    Run run = engine.given().byHand().device(8).attendingHost(2).start();
    run.arrives(4, 9).arrives(4, 9).admits(0, 1).steps(0, 0, 4, 1, 4).thenWhatever();
    rest(run, 1, 0).thenWhatever();
    run.decides((view, decisions) -> {
      StepDraft draft = decisions.draft(0);
      draft.addRemote(view.sequence(0));
      assertThat(draft.reserved(1)).isEqualTo(1);
      assertThat(decisions.transfer(0, 1, TransferMode.ASYNC, Ints.of(1))).isFalse();
      decisions.start(draft, draft.tokens());
    });
    run.then("step 0@4+1 last 1 at 1 new 1");
  }

  @Test
  void failedStep_shouldGiveTheHostsBlocksBack() {
    Run run = oneAtRest(given(), 4);
    run.decodesRemotely(0, 0).thenWhatever();
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    assertThat(run.free(1)).isEqualTo(8);
    assertThat(run.waiting()).containsExactly(0);
  }

  @Test
  void cancelledInAStep_shouldEndOnTheHost() {
    Run run = oneAtRest(given(), 4);
    run.decodesRemotely(0, 0).thenWhatever();
    run.cancels(0).then();
    run.completes(0).then("finish 0 CANCELLED");
    assertThat(run.free(1)).isEqualTo(8);
  }

  @Test
  void surpriseEnd_shouldKeepTheHostsBlocksUntilTheStepBehindIsDone() {
    Run run = oneAtRest(given().maxStepsInFlight(2), 4);
    run.decodesRemotely(0, 0).decodesRemotely(0, 0);
    run.then("step 0@4+1 last 1 at 1 new 1", "step 0@5+1 last 1 at 1");
    run.completes(0, 0).then();
    assertThat(run.free(1)).isEqualTo(6);
    run.completes(0).then("finish 0 STOP");
    assertThat(run.free(1)).isEqualTo(8);
  }

  @Test
  void sequenceInAStep_shouldNotMove() {
    Run run = oneAtRest(given(), 4);
    run.decodesRemotely(0, 0);
    run.refusesDecision(
        "not free to move",
        (view, decisions) -> decisions.transfer(1, 0, TransferMode.ASYNC, Ints.of(0)));
  }

  private static void assertRefused(Run run, int device, int sequence) {
    run.refusesDecision(
        "cannot decode sequence %d remotely".formatted(sequence),
        (view, decisions) -> Run.remoteStep(view, decisions, device, sequence));
  }
}
