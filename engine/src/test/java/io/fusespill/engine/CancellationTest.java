package io.fusespill.engine;

import static io.fusespill.engine.plan.TransferMode.ASYNC;
import static io.fusespill.engine.plan.TransferMode.ORDERED;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.PreemptionKind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A cancelled sequence ends at once, or as soon as nothing uses its blocks any more.
class CancellationTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private Run run;

  /// A device of 8 blocks and a host of 4; two requests at most at a time.
  private Run given() {
    run = engine.given().device(8).host(4).maxNumSeqs(2).maxNumBatchedTokens(8).start();
    return run;
  }

  private Run byHand() {
    run = engine.given().byHand().device(8).host(4).maxAttempts(2).start();
    return run;
  }

  @AfterEach
  void nothingIsLeftBehind() {
    assertThat(run.engine().idle()).as("idle").isTrue();
    assertThat(run.free(0)).isEqualTo(8);
    assertThat(run.free(1)).isEqualTo(4);
    assertThat(run.waiting()).isEmpty();
  }

  @Test
  void waiting_shouldEndAtOnce() {
    given().arrives(4, 2, 2).arrives(4, 2).arrives(4, 1).then("admit 0", "step 0+4 new 0");
    run.cancels(1).then("finish 2 CANCELLED");
    assertThat(run.waiting()).containsExactly(3);
    run.completes(0).then("step 0@4+1 1@4+1 new 1,2");
    run.completes(0).then("finish 0 LENGTH", "finish 1 LENGTH", "admit 3", "step 3+4 new 0");
    run.completes(0).then("finish 3 LENGTH");
  }

  @Test
  void inTheBatchOfItsArrival_shouldNeverRun() {
    given().arrives(4, 2, 2).cancels(0).then("finish 0 CANCELLED");
  }

  @Test
  void inFlight_shouldEndWithTheStep() {
    given().arrives(4, 9).then("admit 0", "step 0+4 new 0");
    run.cancels(0).then();
    run.completes(0).then("finish 0 CANCELLED");
  }

  @Test
  void inFlight_cancelledAndAtItsEnd_shouldCountAsCancelledOnce() {
    given().arrives(4, 1).arrives(4, 9).then("admit 0", "admit 1", "step 0+4 1+4 new 0,1");
    run.cancels(0).cancels(1).then();
    run.completes(0, 1, 0).then("finish 0 CANCELLED", "finish 1 CANCELLED");
  }

  @Test
  void chunkInFlight_shouldEndBeforeTheNextChunk() {
    given().arrives(12, 9).then("admit 0", "step 0+8 new 0,1");
    run.cancels(0).completes(0).then("finish 0 CANCELLED");
  }

  @Test
  void promptOfSeveralSamplesInFlight_shouldEndThemAll() {
    given().arrives(6, 9, 2).then("admit 0", "step 0+6 new 0,1");
    run.cancels(0).then();
    run.completes(0).then("finish 0 CANCELLED", "finish 1 CANCELLED");
  }

  @Test
  void stepThatThenFails_shouldStillEnd() {
    given().arrives(4, 9).then("admit 0", "step 0+4 new 0");
    run.cancels(0).fails(0).then("finish 0 CANCELLED");
  }

  @Test
  void residentWithoutStep_shouldEndAtOnce() {
    byHand().arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).cancels(0).then("finish 0 CANCELLED");
  }

  @Test
  void samplesInAndOutOfTheStep_shouldEndOneAfterTheOther() {
    byHand().arrives(4, 9, 3).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).preempts(2, PreemptionKind.RECOMPUTE).steps(0, 0, 1).thenWhatever();
    run.cancels(0).then("finish 1 CANCELLED", "finish 2 CANCELLED");
    run.cancels(0).then();
    run.completes(0).then("finish 0 CANCELLED");
  }

  @Test
  void swapped_shouldEndAtOnce() {
    byHand().arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ASYNC, 0).transferCompletes(0).thenWhatever();
    run.cancels(0).then("finish 0 CANCELLED");
  }

  @Test
  void underWay_shouldEndWithTheTransfer() {
    byHand().arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ASYNC, 0).cancels(0).then("async swap_out [0>1] 0: 0>0");
    run.transferCompletes(0).then("finish 0 CANCELLED");
  }

  @Test
  void underWay_shouldEndWithTheTransfersFailure() {
    byHand().arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ASYNC, 0).cancels(0).thenWhatever();
    run.transferFails(0).then("finish 0 CANCELLED");
  }

  @Test
  void swappedInByTheStep_shouldEndWithIt() {
    byHand().arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ASYNC, 0).transferCompletes(0).thenWhatever();
    run.transfers(1, 0, ORDERED, 0).steps(0, 0, 1).cancels(0).thenWhatever();
    run.completes(0).then("finish 0 CANCELLED");
  }

  @Test
  void swappedOutByAStepThatFails_shouldEndWithIt() {
    byHand().arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ORDERED, 0).steps(0).cancels(0).thenWhatever();
    run.fails(0).then("finish 0 CANCELLED");
  }

  @Test
  void endedLongAgo_shouldChangeNothing() {
    given().arrives(4, 1).then("admit 0", "step 0+4 new 0");
    run.completes(0).then("finish 0 LENGTH");
    run.cancels(0).then();
  }

  @Test
  void rejectedBefore_shouldChangeNothing() {
    given().arrives(64, 1).then("reject 0 NEVER_FITS 16/8");
    run.cancels(0).then();
  }
}
