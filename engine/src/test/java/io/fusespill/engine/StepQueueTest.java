package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Steps that queue on a device build on tokens that are still to come, and what runs ahead of a
/// surprise counts for nothing.
class StepQueueTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private Given depth(int steps) {
    return engine.given().maxStepsInFlight(steps);
  }

  @Test
  void decodes_shouldBePlannedOnTokensStillToCome() {
    Run run = depth(3).start();
    run.arrives(4, 9).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1", "step 0@5+1");
    assertThat(run.sequence(0).totalTokens()).isEqualTo(4);
    assertThat(run.sequence(0).plannedTotalTokens()).isEqualTo(7);
    assertThat(run.sequence(0).computedTokens()).isZero();
    assertThat(run.sequence(0).plannedComputedTokens()).isEqualTo(6);
    run.completes(0).then("step 0@6+1");
    assertThat(run.sequence(0).totalTokens()).isEqualTo(5);
    assertThat(run.sequence(0).computedTokens()).isEqualTo(4);
  }

  @Test
  void chunks_shouldFollowOnFromOneAnother() {
    Run run = depth(2).maxNumBatchedTokens(4).start();
    run.arrives(10, 9).then("admit 0", "step 0+4 new 0", "step 0@4+4 new 1");
    run.completes(0).then("step 0@8+2 new 2");
    run.completes(0).then("step 0@10+1");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void queue_shouldNeverBeLongerThanItMay(int depth) {
    Run run = depth(depth).start();
    run.arrives(4, 30).thenWhatever();
    for (int i = 0; i < 5; i++) {
      assertThat(run.view().stepsInFlight(0)).isEqualTo(depth);
      run.completes(0).thenWhatever();
    }
  }

  @Test
  void fullQueue_shouldTakeNoMore() {
    Run run = depth(2).byHand().start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).steps(0, 0, 1);
    run.refusesDecision(
        "as many steps are in flight on place 0 as may be",
        (view, decisions) -> Run.step(view, decisions, 0, 0, 1));
  }

  @Test
  void sequenceCertainToEnd_shouldNotBePlannedAgain() {
    Run run = depth(3).start();
    run.arrives(4, 2).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1");
    run.completes(0).then();
    run.completes(0).then("finish 0 LENGTH");
  }

  @Test
  void longestContext_shouldBeCertainToo() {
    Run run = depth(4).maxModelTokens(6).start();
    run.arrives(4, 9).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1", "step 0@5+1");
    run.completes(0).then();
    run.completes(0).then();
    run.completes(0).then("finish 0 LENGTH");
  }

  @Test
  void surpriseEnd_shouldWasteItsSlotAndNobodyElses() {
    Run run = depth(2).start();
    run.arrives(4, 9)
        .arrives(4, 9)
        .then("admit 0", "admit 1", "step 0+4 1+4 new 0,1", "step 0@4+1 1@4+1 new 2,3");
    run.completes(0, 0).then("step 1@5+1");
    assertThat(run.sequence(0).ending()).isEqualTo(FinishReason.STOP);
    assertThat(run.sequence(0).outputTokens()).isEqualTo(1);
    assertThat(run.table(0)).containsExactly(0, 2);
    run.completes(0).then("finish 0 STOP", "step 1@6+1");
    assertThat(run.sequence(1).outputTokens()).isEqualTo(2);
    assertThat(run.free(0)).isEqualTo(14);
  }

  @Test
  void endedSequence_mayEndAgainInAStepThatRanAhead() {
    Run run = depth(3).start();
    run.arrives(4, 9).thenWhatever();
    run.completes(0, 0).then();
    run.completes(0, 0).then();
    assertThat(run.sequence(0).outputTokens()).isEqualTo(1);
    run.completes(0, 0).then("finish 0 STOP");
  }

  @Test
  void failedStep_shouldCostWhatQueuesBehindIt() {
    Run run = depth(2).start();
    run.arrives(4, 9).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1");
    run.fails(0).then();
    assertThat(run.sequence(0).lost()).isTrue();
    assertThat(run.table(0)).containsExactly(0, 1);
    run.fails(0)
        .then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+4 new 0", "step 0@4+1 new 1");
    assertThat(run.sequence(0).failures()).isEqualTo(1);
    assertThat(run.sequence(0).lost()).isFalse();
  }

  @Test
  void failedStepBehindAGoodOne_shouldKeepTheGoodOnesToken() {
    Run run = depth(2).start();
    run.arrives(4, 9).thenWhatever();
    run.completes(0).then("step 0@5+1");
    run.fails(0).then();
    run.completes(0)
        .then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+5 new 0,1", "step 0@5+1");
    assertThat(run.sequence(0).outputTokens()).isEqualTo(1);
  }

  @Test
  void lostSequence_mayEndInAStepThatRanAhead() {
    Run run = depth(2).start();
    run.arrives(4, 9).thenWhatever();
    run.fails(0).then();
    run.completes(0, 0)
        .then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+4 new 0", "step 0@4+1 new 1");
    assertThat(run.sequence(0).outputTokens()).isZero();
    assertThat(run.sequence(0).ending()).isNull();
  }

  /// The first chunk fails; the second one, which would have brought the samples to life, does not.
  @Test
  void lostPrompt_shouldNotForkInAStepThatRanAhead() {
    Run run = depth(2).byHand().start();
    run.arrives(6, 9, 2).admits(0).steps(0, 0, 4).steps(0, 0, 2).thenWhatever();
    run.fails(0).then();
    run.completes(0, 0, 1).then("preempt 0 RECOMPUTE STEP_FAILED");
    assertThat(run.sequence(1)).isNull();
    assertThat(run.sequence(0).unforked()).isEqualTo(1);
    assertThat(run.free(0)).isEqualTo(16);
  }

  @Test
  void sequenceOfNoStepAhead_mayNotEnd() {
    Run run = depth(2).byHand().start();
    run.arrives(4, 9).arrives(8, 9).admits(0, 1).steps(0, 0, 4, 1, 4).thenWhatever();
    run.refuses(
        new StepCompleted(5_000, 0, 0, Ints.of(1), Ints.EMPTY),
        "sequence 1 took no token in that step");
  }

  @Test
  void oneAttempt_shouldCostTheSequenceOnceNothingUsesIt() {
    Run run = depth(3).maxAttempts(1).start();
    run.arrives(4, 9).thenWhatever();
    run.fails(0).then();
    run.fails(0).then();
    run.fails(0).then("finish 0 FAILED");
    assertThat(run.free(0)).isEqualTo(16);
  }

  @Test
  void cancellation_shouldWaitForTheQueue() {
    Run run = depth(2).start();
    run.arrives(4, 9).thenWhatever();
    run.cancels(0).then();
    run.completes(0).then();
    run.completes(0).then("finish 0 CANCELLED");
    assertThat(run.engine().idle()).isTrue();
  }

  @Test
  void cancelledAndLost_shouldEndOnce() {
    Run run = depth(2).start();
    run.arrives(4, 9).thenWhatever();
    run.fails(0).then();
    run.cancels(0).then();
    run.fails(0).then("finish 0 CANCELLED");
  }

  @Test
  void samples_shouldForkBeforeAnythingIsPlannedOnThem() {
    Run run = depth(3).start();
    run.arrives(4, 9, 2).then("admit 0", "step 0+4 new 0");
    run.completes(0).then("step 0@4+1 1@4+1 new 1,2", "step 0@5+1 1@5+1", "step 0@6+1 1@6+1");
  }

  /// The first step copies sample 0 out of the shared block; the second must not take that copy for
  /// another holder, and let sample 1 copy as well.
  @Test
  void sharedBlock_shouldBeCopiedOnceForTwoHolders() {
    Run run = depth(2).start();
    run.arrives(6, 9, 2).then("admit 0", "step 0+6 new 0,1");
    run.completes(0).then("step 0@6+1 1@6+1 copy 0:1>2", "step 0@7+1 1@7+1");
    assertThat(run.table(1)).containsExactly(0, 1);
    run.completes(0).then("step 0@8+1 1@8+1 new 3,4");
  }

  @Test
  void copiedBlock_shouldOutliveItsLastReader() {
    Run run = depth(2).byHand().start();
    run.arrives(6, 9, 2).admits(0).steps(0, 0, 6).thenWhatever();
    run.completes(0).steps(0, 0, 1).steps(0, 1, 1);
    run.then("step 0@6+1 copy 0:1>2", "step 1@6+1");
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    assertThat(run.table(1)).containsExactly(0, 1);
    run.completes(0).then();
    assertThat(run.sequence(1).outputTokens()).isEqualTo(2);
  }

  @Test
  void victimInAStep_shouldNotLoseItsBlocksBeforeItIsDone() {
    Run run = depth(2).device(2).start();
    run.arrives(4, 9).arrives(3, 9).then("admit 0", "admit 1", "step 0+4 1+3 new 0,1");
    assertThat(run.residents(0)).containsExactly(0, 1);
    run.completes(0).then("preempt 1 RECOMPUTE", "step 0@4+1 new 1", "step 0@5+1");
  }

  /// The copy into the device fails with the step that took it along; the decode behind it has run
  /// on nothing.
  @Test
  void lostByTheTransferOfAStep_shouldCostTheStepBehindItToo() {
    Run run = depth(2).byHand().device(8).host(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ORDERED, 0).steps(0).thenWhatever();
    run.completes(0).transfers(1, 0, TransferMode.ORDERED, 0).steps(0).steps(0, 0, 1);
    run.thenWhatever();
    run.fails(0).then();
    assertThat(run.sequence(0).lost()).isTrue();
    run.completes(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    assertThat(run.sequence(0).outputTokens()).isEqualTo(1);
    assertThat(run.free(0)).isEqualTo(8);
    assertThat(run.free(1)).isEqualTo(8);
  }

  @Test
  void cancelledWhileItsTransferQueues_shouldEndWithTheLastStep() {
    Run run = depth(2).byHand().device(8).host(8).start();
    run.arrives(4, 9).arrives(4, 9).admits(0, 1).steps(0, 0, 4, 1, 4).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ORDERED, 0).steps(0, 1, 1).thenWhatever();
    run.steps(0, 1, 1).thenWhatever();
    run.cancels(0).then();
    run.completes(0).then("finish 0 CANCELLED");
    assertThat(run.free(1)).isEqualTo(8);
  }

  @Test
  void orderedTransfer_shouldNotBePlannedBehindAStep() {
    Run run = depth(2).byHand().device(8).host(8).start();
    run.arrives(4, 9).arrives(4, 9).admits(0, 1).steps(0, 0, 4, 1, 4).thenWhatever();
    run.completes(0).steps(0, 0, 1);
    run.refusesDecision(
        "cannot be mixed",
        (view, decisions) -> decisions.transfer(0, 1, TransferMode.ORDERED, Ints.of(1)));
  }
}
