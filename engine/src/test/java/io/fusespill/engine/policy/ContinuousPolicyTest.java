package io.fusespill.engine.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Scenarios under `continuous`, four tokens a block; lines are those of `EventLines`.
class ContinuousPolicyTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private Given given(String... options) {
    return engine.given().policy("continuous", options);
  }

  @Test
  void prompt_shouldBeChunkedBesideDecodes() {
    Run run = given().maxNumBatchedTokens(6).start();
    run.arrives(3, 9).then("admit 0", "step 0+3 new 0");
    run.completes(0).arrives(10, 2).then("admit 1", "step 0@3+1 1+5 new 1,2");
    run.completes(0).then("step 0@4+1 1@5+5 new 3,4");
    run.completes(0).then("step 0@5+1 1@10+1");
  }

  @Test
  void longPrefillThreshold_shouldLimitEachChunk() {
    Run run = given("long-prefill-threshold", "4").start();
    run.arrives(10, 1).then("admit 0", "step 0+4 new 0");
    run.completes(0).then("step 0@4+4 new 1");
    run.completes(0).then("step 0@8+2 new 2");
    run.completes(0).then("finish 0 LENGTH");
  }

  @Test
  void withoutChunks_promptShouldRunWholeOrNotAtAll() {
    Run run = given("chunked-prefill", "false").maxNumBatchedTokens(6).start();
    run.arrives(7, 1).arrives(4, 1).arrives(3, 1);
    run.then("reject 0 PROMPT_TOO_LONG 7/6", "admit 1", "step 1+4 new 0");
    run.completes(0).then("finish 1 LENGTH", "admit 2", "step 2+3 new 0");
  }

  @Test
  void reservePrompt_shouldAdmitOnlyWhatFitsWhole() {
    for (boolean reserve : new boolean[] {false, true}) {
      Run run =
          given("reserve-prompt", String.valueOf(reserve)).maxNumBatchedTokens(5).device(3).start();
      run.arrives(4, 3).then("admit 0", "step 0+4 new 0");
      run.completes(0).arrives(8, 1);
      if (reserve) {
        run.then("step 0@4+1 new 1");
      } else {
        run.then("admit 1", "step 0@4+1 1+4 new 1,2");
      }
    }
  }

  /// The second prompt's first chunk of seven tokens would take two blocks of the one that is left.
  @Test
  void firstChunkWithoutRoom_shouldWait() {
    Run run = given().maxNumBatchedTokens(8).device(3).start();
    run.arrives(4, 3).then("admit 0", "step 0+4 new 0");
    run.completes(0).arrives(12, 1).then("step 0@4+1 new 1");
  }

  @Test
  void tail_shouldBeRecomputedInFrontOfTheQueueInItsOldOrder() {
    Run run = given().device(4).start();
    run.arrives(4, 9).arrives(4, 9).arrives(4, 9).arrives(4, 9);
    run.then("admit 0", "admit 1", "admit 2", "admit 3", "step 0+4 1+4 2+4 3+4 new 0,1,2,3");
    run.completes(0).arrives(1, 1);
    run.then("preempt 3 RECOMPUTE", "preempt 2 RECOMPUTE", "step 0@4+1 1@4+1 new 2,3");
    assertThat(run.waiting()).containsExactly(2, 3, 4);
  }

  /// The victim's next chunk would fit into what it has just given up.
  @Test
  void afterAPreemption_nobodyShouldBeAdmitted() {
    Run run = given("long-prefill-threshold", "4").device(4).start();
    run.arrives(4, 9).arrives(12, 9).then("admit 0", "admit 1", "step 0+4 1+4 new 0,1");
    run.completes(0).then("step 0@4+1 1@4+4 new 2,3");
    run.completes(0).then("preempt 1 RECOMPUTE", "step 0@5+1");
    run.completes(0).then("admit 1", "step 0@6+1 1+4 new 1");
  }

  /// Sequence 1 leaves blocks 1, 2 and 3 with 12 tokens in them, 3 the first to be taken. Sequence
  /// 0 takes that one and ends, its last block the first to be taken; what is left of the other, it
  /// takes back.
  @Test
  void prefixCaching_preemptedShouldGoOnFromWhatNobodyTook() {
    Run run = given("prefix-caching", "true", "reserve-prompt", "true").device(4).start();
    run.arrives(4, 5).arrives(12, 9).then("admit 0", "admit 1", "step 0+4 1+12 new 0,1,2,3");
    run.completes(0).then("preempt 1 RECOMPUTE", "step 0@4+1 new 3");
    run.completes(0).then("step 0@5+1");
    run.completes(0).then("step 0@6+1");
    run.completes(0).then("step 0@7+1");
    run.completes(0).then("finish 0 LENGTH", "admit 1 keeping 2", "step 1@8+5 new 3,0");
  }

  private Run sharing(int blocks) {
    return given("prefix-caching", "true", "reserve-prompt", "true").device(blocks).start();
  }

  /// Both prompts begin with the same block; the second finds it in use, and only its own tokens
  /// cost blocks.
  @Test
  void promptThatBeginsAlike_shouldShareFullBlocksInUse() {
    Run run = sharing(3);
    run.arrivesWith(3, 1, 2, 3, 4, 5).then("admit 0", "step 0+5 new 0,1");
    run.arrivesWith(2, 1, 2, 3, 4, 6).then();
    run.completes(0).then("admit 1 keeping 1", "step 0@5+1 1@4+1 new 2");
    assertThat(run.view().pool(0).holders(0)).isEqualTo(2);
    run.completes(0).then("step 0@6+1 1@5+1");
    run.completes(0).then("finish 0 LENGTH", "finish 1 LENGTH");
    assertThat(run.free(0)).isEqualTo(3);
  }

  /// A block is found once the step that computed it is done, and one token is left to compute.
  @Test
  void samePromptAgain_shouldComputeItsLastBlock() {
    Run run = sharing(8);
    run.arrivesWith(1, 1, 2, 3, 4, 5, 6, 7, 8).arrivesWith(1, 1, 2, 3, 4, 5, 6, 7, 8);
    run.then("admit 0", "admit 1", "step 0+8 1+8 new 0,1,2,3");
    run.completes(0).then("finish 0 LENGTH", "finish 1 LENGTH");
    run.arrivesWith(1, 1, 2, 3, 4, 5, 6, 7, 8).then("admit 2 keeping 1", "step 2@4+4 new 4");
  }

  /// Nobody's block 0 is found where a block before it differs, or where it was written anew since.
  @Test
  void otherBeginningOrOverwrittenBlock_shouldNotBeFound() {
    Run run = sharing(3);
    run.arrivesWith(1, 1, 2, 3, 4, 5, 6, 7, 8, 9).then("admit 0", "step 0+9 new 0,1,2");
    run.completes(0).then("finish 0 LENGTH");
    run.arrivesWith(1, 9, 2, 3, 4, 5, 6, 7, 8, 9).then("admit 1", "step 1+9 new 2,1,0");
    run.completes(0).then("finish 1 LENGTH");
    run.arrivesWith(1, 1, 2, 3, 4, 5, 6, 7, 8, 9).then("admit 2", "step 2+9 new 0,1,2");
  }

  /// A copy that somebody holds costs no free block, so it is taken and not the older, free one,
  /// which the draft is about to take.
  @Test
  void twoCopiesOfABlock_theOneInUseShouldBeShared() {
    Run run = sharing(5);
    run.arrivesWith(1, 1, 2, 3, 4, 5).arrivesWith(20, 1, 2, 3, 4, 6).arrivesWith(2, 9, 9, 9);
    run.then("admit 0", "admit 1", "admit 2", "step 0+5 1+5 2+3 new 0,1,2,3,4");
    run.completes(0).then("finish 0 LENGTH", "step 1@5+1 2@3+1");
    run.completes(0).then("finish 2 LENGTH", "step 1@6+1");
    run.completes(0).then("step 1@7+1");
    run.completes(0).then("step 1@8+1 new 1");
    run.completes(0).then("step 1@9+1");
    run.completes(0).then("step 1@10+1");
    run.completes(0).then("step 1@11+1");
    run.completes(0).arrivesWith(1, 1, 2, 3, 4, 7);
    run.then("admit 3 keeping 1", "step 1@12+1 3@4+1 new 0,4");
  }

  /// Sequences 0 and 1 share a block, and the step that fails has both: nobody finds it again.
  @Test
  void failedStepOfAllThatShareABlock_shouldForgetIt() {
    Run run = sharing(8);
    run.arrivesWith(9, 1, 2, 3, 4, 5).then("admit 0", "step 0+5 new 0,1");
    run.arrivesWith(9, 1, 2, 3, 4, 6).completes(0);
    run.then("admit 1 keeping 1", "step 0@5+1 1@4+1 new 2");
    run.fails(0);
    run.then(
        "preempt 1 RECOMPUTE STEP_FAILED",
        "preempt 0 RECOMPUTE STEP_FAILED",
        "admit 0",
        "admit 1",
        "step 0+6 1+5 new 3,4,5,6");
  }

  /// A step that fails takes all of its sequence's KV with it.
  @Test
  void failedStep_shouldForgetWhatNobodyElseHolds() {
    Run run = sharing(8);
    run.arrivesWith(9, 1, 2, 3, 4, 5, 6, 7, 8, 9).then("admit 0", "step 0+9 new 0,1,2");
    run.completes(0).then("step 0@9+1");
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+10 new 3,4,5");
  }

  @Test
  void withoutReuse_shouldComputeAllAgain() {
    Run run = given("reserve-prompt", "true").device(4).start();
    run.arrives(4, 5).arrives(12, 9).then("admit 0", "admit 1", "step 0+4 1+12 new 0,1,2,3");
    run.completes(0).then("preempt 1 RECOMPUTE", "step 0@4+1 new 1");
    run.completes(0).then("step 0@5+1");
    run.completes(0).then("step 0@6+1");
    run.completes(0).then("step 0@7+1");
    run.completes(0).then("finish 0 LENGTH", "admit 1", "step 1+13 new 0,1,2,3");
  }

  @Test
  void lastOne_shouldDecodeInItsLastBlockWithoutAFreeOne() {
    Run run = given().device(1).start();
    run.arrives(3, 9).then("admit 0", "step 0+3 new 0");
    run.completes(0).then("step 0@3+1");
    run.completes(0).then("preempt 0 RECOMPUTE", "reject 0 NEVER_FITS 2/1");
  }

  @Test
  void promptThatCanNeverFit_shouldBeRejectedWhereverItStands() {
    Run run = given().device(3).maxModelTokens(20).start();
    run.arrives(21, 1).arrives(1, 1).arrives(13, 1).arrives(1, 1);
    run.then(
        "reject 0 PROMPT_TOO_LONG 21/20",
        "admit 1",
        "reject 2 NEVER_FITS 4/3",
        "admit 3",
        "step 1+1 3+1 new 0,1");
  }

  @Test
  void samplesStillToFork_shouldCountAsSeats() {
    Run run = given().maxNumSeqs(3).start();
    run.arrives(1, 2, 2).arrives(1, 1, 2).arrives(1, 1).then("admit 0", "step 0+1 new 0");
    run.completes(0).then("step 0@1+1 1@1+1 copy 0:0>1");
    run.completes(0)
        .then("finish 0 LENGTH", "finish 1 LENGTH", "admit 2", "admit 4", "step 2+1 4+1 new 0,1");
  }

  /// Each sample has nine tokens to recompute but the four blocks hold only one of the two that
  /// far.
  @Test
  void samplesThatOutgrowThePoolTogether_shouldTakeTurns() {
    Run run = given().device(4).start();
    run.arrives(4, 8, 2).then("admit 0", "step 0+4 new 0");
    run.completes(0).then("step 0@4+1 1@4+1 new 1,2");
    run.completes(0).then("step 0@5+1 1@5+1");
    run.completes(0).then("step 0@6+1 1@6+1");
    run.completes(0).then("step 0@7+1 1@7+1");
    run.completes(0).then("preempt 1 RECOMPUTE", "step 0@8+1 new 2");
    run.completes(0).then("step 0@9+1");
    run.completes(0).then("step 0@10+1");
    run.completes(0).then("finish 0 LENGTH", "admit 1", "step 1+9 new 0,1,2");
    run.completes(0).then("step 1@9+1");
    run.completes(0).then("step 1@10+1");
    run.completes(0).then("finish 1 LENGTH");
  }

  @Test
  void stepOverTheBudget_shouldLeaveTheLatestOnesOut() {
    Run run = given().maxNumBatchedTokens(2).maxNumSeqs(3).start();
    run.arrives(1, 9).arrives(1, 9).then("admit 0", "admit 1", "step 0+1 1+1 new 0,1");
    run.completes(0).arrives(1, 9).then("step 0@1+1 1@1+1");
  }
}
