package io.fusespill.engine.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Scenarios under `vllm-0.2.7`, four tokens a block; lines are those of `EventLines`.
class VllmPolicyTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private Given given(String... options) {
    return engine.given().policy("vllm-0.2.7", options);
  }

  // ------------------------------------------------------------- admission

  @Test
  void prompts_shouldFillOneStepPaddedToTheLongest() {
    Run run = given().start();
    run.arrives(5, 2).arrives(3, 2).then("admit 0", "admit 1", "step 0+5 1+3 new 0,1,2 batched 10");
    run.completes(0).then("step 0@5+1 1@3+1");
    run.completes(0).then("finish 0 LENGTH", "finish 1 LENGTH");
    assertThat(run.free(0)).isEqualTo(16);
  }

  @Test
  void promptWithoutRoom_shouldWaitForIt() {
    Run run = given().device(3).start();
    run.arrives(8, 1).arrives(5, 1).then("admit 0", "step 0+8 new 0,1");
    run.completes(0).then("finish 0 LENGTH", "admit 1", "step 1+5 new 0,1");
  }

  @Test
  void promptThatCanNeverFit_shouldBeRejected() {
    Run run = given().device(3).start();
    run.arrives(13, 1).arrives(1, 1).then("reject 0 NEVER_FITS 4/3", "admit 1", "step 1+1 new 0");
  }

  @Test
  void promptLongerThanModelOrStep_shouldBeRejected() {
    given().maxModelTokens(10).start().arrives(11, 1).then("reject 0 PROMPT_TOO_LONG 11/10");
    given().maxNumBatchedTokens(9).start().arrives(10, 1).then("reject 0 PROMPT_TOO_LONG 10/9");
    given().maxNumBatchedTokens(9).start().arrives(9, 1).then("admit 0", "step 0+9 new 0,1,2");
  }

  @Test
  void moreSamplesThanSeats_shouldBeRejectedOnArrival() {
    Run run = given().maxNumSeqs(2).start();
    run.arrives(1, 1, 3);
    assertThat(run.engine().idle()).isTrue();
    run.then("reject 0 TOO_MANY_SAMPLES 3/2");
    run.arrives(1, 1, 2).then("admit 3", "step 3+1 new 0");
  }

  @Test
  void watermark_shouldStayFree() {
    Given given = given("watermark", "0.25").device(8);
    given.start().arrives(25, 1).then("reject 0 NEVER_FITS 7/6");
    Run run = given.start();
    run.arrives(20, 1).arrives(5, 1).then("admit 0", "step 0+20 new 0,1,2,3,4");
    run.completes(0).then("finish 0 LENGTH", "admit 1", "step 1+5 new 0,1");
  }

  @Test
  void paddingBeyondItsMaximum_shouldEndTheStep() {
    Run run = given("max-paddings", "3").start();
    run.arrives(5, 1).arrives(2, 1).arrives(1, 1);
    run.then("admit 0", "admit 1", "step 0+5 1+2 new 0,1,2 batched 10");
    run.completes(0).then("finish 0 LENGTH", "finish 1 LENGTH", "admit 2", "step 2+1 new 2");
  }

  @Test
  void paddedTokensBeyondTheBudget_shouldEndTheStep() {
    Run run = given().maxNumBatchedTokens(8).start();
    run.arrives(4, 1).arrives(5, 1).then("admit 0", "step 0+4 new 0");
  }

  @Test
  void samplesStillToFork_shouldCountAsSeats() {
    Run run = given().maxNumSeqs(3).start();
    run.arrives(1, 1, 2).arrives(1, 1, 2).arrives(1, 1).then("admit 0", "step 0+1 new 0");
    run.completes(0)
        .then("finish 0 LENGTH", "finish 1 LENGTH", "admit 2", "admit 4", "step 2+1 4+1 new 0,1");
  }

  @Test
  void newPrompts_shouldGoBeforeDecodes() {
    Run run = given().start();
    run.arrives(1, 3).then("admit 0", "step 0+1 new 0");
    run.completes(0).arrives(2, 3).then("admit 1", "step 1+2 new 1");
    run.completes(0).then("step 0@1+1 1@2+1");
  }

  // ------------------------------------------------------------ preemption

  @Test
  void newest_shouldBeRecomputedInFrontOfTheQueueInTheirOldOrder() {
    Run run = given().device(4).start();
    run.arrives(4, 9).arrives(4, 9).arrives(4, 9).arrives(4, 9);
    run.then("admit 0", "admit 1", "admit 2", "admit 3", "step 0+4 1+4 2+4 3+4 new 0,1,2,3");
    run.arrives(1, 1).completes(0);
    run.then("preempt 3 RECOMPUTE", "preempt 2 RECOMPUTE", "step 0@4+1 1@4+1 new 2,3");
    assertThat(run.waiting()).containsExactly(2, 3, 4);
    assertThat(run.sequence(2).computedTokens()).isZero();
    assertThat(run.sequence(2).totalTokens()).isEqualTo(5);
    assertThat(run.sequence(2).preemptions()).isEqualTo(1);
  }

  @Test
  void recomputed_shouldPrefillItsOutputToo() {
    Run run = given().device(3).start();
    run.arrives(4, 2).arrives(4, 3).then("admit 0", "admit 1", "step 0+4 1+4 new 0,1");
    run.completes(0).then("preempt 1 RECOMPUTE", "step 0@4+1 new 1");
    run.completes(0).then("finish 0 LENGTH", "admit 1", "step 1+5 new 0,1");
    run.completes(0).then("step 1@5+1");
    run.completes(0).then("finish 1 LENGTH");
  }

  /// `can_append_slot` of 0.2.7 wants a free block for each sequence, needed or not.
  @Test
  void lastOne_shouldPreemptItselfWithoutAFreeBlock() {
    Run run = given().device(1).start();
    run.arrives(3, 9).then("admit 0", "step 0+3 new 0");
    run.completes(0).then("preempt 0 RECOMPUTE", "admit 0", "step 0+4 new 0");
    run.completes(0).then("preempt 0 RECOMPUTE", "reject 0 NEVER_FITS 2/1");
    assertThat(run.engine().idle()).isTrue();
  }

  // ------------------------------------------------------------------ swap

  /// Two samples beside an older sequence that needs the room.
  private Run swappedOut(String... options) {
    Run run = given(options).device(5).host(4).start();
    run.arrives(4, 3).arrives(6, 4, 2);
    run.then("admit 0", "admit 1", "step 0+4 1+6 new 0,1,2 batched 12");
    run.completes(0);
    run.then(
        "preempt 1 SWAP",
        "preempt 2 SWAP",
        "swap_out [0>1] 1,2: 1>0 2>1",
        "step 0@4+1 new 2 after 0");
    return run;
  }

  @Test
  void samples_shouldBeSwappedOutTogetherAndKeepSharing() {
    Run run = swappedOut();
    assertThat(run.table(1)).isEqualTo(run.table(2)).containsExactly(0, 1);
    assertThat(run.view().pool(1).holders(0)).isEqualTo(2);
    assertThat(run.free(1)).isEqualTo(2);
  }

  @Test
  void swapped_shouldComeBackBeforeNewPromptsAndDecodeAtOnce() {
    Run run = swappedOut();
    run.arrives(1, 1).completes(0).then("step 0@5+1");
    run.completes(0);
    run.then(
        "finish 0 LENGTH", "swap_in [1>0] 1,2: 0>0 1>2", "step 1@6+1 2@6+1 copy 1:2>1 after 1");
    assertThat(run.table(1)).containsExactly(0, 1);
    assertThat(run.table(2)).containsExactly(0, 2);
    assertThat(run.view().pool(1).leaving()).as("host blocks leaving").isEqualTo(2);
    run.completes(0).then("admit 3", "step 3+1 new 3");
    assertThat(run.free(1)).isEqualTo(4);
  }

  @Test
  void swapOut_withNothingLeftToCompute_shouldRunAStepOfCopies() {
    Run run = given().device(3).host(4).start();
    run.arrives(6, 9, 2).then("admit 0", "step 0+6 new 0,1");
    run.completes(0);
    run.then("preempt 0 SWAP", "preempt 1 SWAP", "swap_out [0>1] 0,1: 0>0 1>1", "step after 0");
    run.completes(0).then("reject 0 NEVER_FITS 4/3");
    assertThat(run.free(0)).isEqualTo(3);
    assertThat(run.free(1)).isEqualTo(4);
  }

  @Test
  void hostWithoutRoom_shouldCostTheRequest() {
    Run run = given().device(5).host(1).start();
    run.arrives(4, 3).arrives(6, 4, 2);
    run.then("admit 0", "admit 1", "step 0+4 1+6 new 0,1,2 batched 12");
    run.completes(0).then("reject 1 SWAP_SPACE_EXHAUSTED 2/1", "step 0@4+1 new 1");
    assertThat(run.free(0)).isEqualTo(3);
  }

  @Test
  void preemptionRecompute_shouldGiveUpSamplesOneByOne() {
    Run run = given("preemption", "recompute").device(5).host(4).start();
    run.arrives(4, 3).arrives(6, 4, 2);
    run.then("admit 0", "admit 1", "step 0+4 1+6 new 0,1,2 batched 12");
    run.completes(0).then("preempt 2 RECOMPUTE", "preempt 1 RECOMPUTE", "step 0@4+1 new 1");
    assertThat(run.waiting()).containsExactly(1, 2);
  }

  @Test
  void preemptionSwap_shouldSwapSingleSequencesAndSortThoseOnTheHost() {
    Run run = given("preemption", "swap").device(4).host(8).start();
    run.arrives(4, 3).arrives(4, 3).arrives(4, 3).arrives(4, 3);
    run.then("admit 0", "admit 1", "admit 2", "admit 3", "step 0+4 1+4 2+4 3+4 new 0,1,2,3");
    run.completes(0);
    run.then(
        "preempt 3 SWAP",
        "swap_out [0>1] 3: 3>0",
        "preempt 2 SWAP",
        "swap_out [0>1] 2: 2>1",
        "sort 1",
        "step 0@4+1 1@4+1 new 2,3 after 0,1");
    assertThat(run.residents(1)).containsExactly(2, 3);
    run.completes(0)
        .then("preempt 1 SWAP", "swap_out [0>1] 1: 1>2 3>3", "sort 1", "step 0@5+1 after 2");
    assertThat(run.residents(1)).containsExactly(1, 2, 3);
  }

  @Test
  void withoutAHost_shouldRecomputeSamples() {
    Run run = given().device(3).start();
    run.arrives(6, 9, 2).then("admit 0", "step 0+6 new 0,1");
    run.completes(0)
        .then("preempt 1 RECOMPUTE", "preempt 0 RECOMPUTE", "admit 0", "step 0+7 new 0,1");
  }
}
