package io.fusespill.engine;

import static io.fusespill.engine.plan.TransferMode.ASYNC;
import static io.fusespill.engine.plan.TransferMode.ORDERED;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.SequenceStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Transfers are two-phase: what moves is pinned on both sides, and what leaves is not free, until
/// it is done.
class TransferTest {

  private static final int DEVICE = 0;
  private static final int HOST = 1;
  private static final int DISK = 2;
  private static final int AUXILIARY = 3;

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  /// Sequence 0 with blocks 0 and 1, 1 with block 2; two blocks are free.
  private Run resident() {
    Run run = engine.given().byHand().device(5).host(4).disk(4).device(4).maxAttempts(2).start();
    run.arrives(6, 9).arrives(3, 9).admits(0, 1).steps(DEVICE, 0, 6, 1, 3);
    return run.completes(DEVICE).thenWhatever();
  }

  /// Samples 0, 1 and 2 share block 0; their last blocks are 2, 3 and 1.
  private Run samples() {
    Run run = engine.given().byHand().device(6).host(6).start();
    run.arrives(6, 9, 3).admits(0).steps(DEVICE, 0, 6).completes(DEVICE);
    return run.steps(DEVICE, 0, 1, 1, 1, 2, 1).completes(DEVICE).thenWhatever();
  }

  private static void assertPool(Run run, int place, int free, int allocated, int leaving) {
    BlockPool pool = run.view().pool(place);
    assertThat(pool.free()).as("free").isEqualTo(free);
    assertThat(pool.allocated()).as("allocated").isEqualTo(allocated);
    assertThat(pool.leaving()).as("leaving").isEqualTo(leaving);
  }

  // ----------------------------------------------------------------- async

  @Test
  void async_untilItCompletes_shouldHoldBothSides() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 0).then("async swap_out [0>1] 0: 0>0 1>1");
    assertThat(run.sequence(0).status()).isEqualTo(SequenceStatus.TRANSFERRING);
    assertThat(run.sequence(0).pinned()).isTrue();
    assertThat(run.residents(DEVICE)).containsExactly(1);
    assertThat(run.residents(HOST)).isEmpty();
    assertPool(run, DEVICE, 2, 1, 2);
    assertPool(run, HOST, 2, 2, 0);

    run.transferCompletes(0).then();
    assertThat(run.sequence(0).status()).isEqualTo(SequenceStatus.SWAPPED);
    assertThat(run.sequence(0).pinned()).isFalse();
    assertThat(run.sequence(0).computedTokens()).isEqualTo(6);
    assertThat(run.table(0)).containsExactly(0, 1);
    assertThat(run.residents(HOST)).containsExactly(0);
    assertPool(run, DEVICE, 4, 1, 0);
    assertPool(run, HOST, 2, 2, 0);
  }

  @Test
  void async_blocksThatLeave_shouldBeOfNoUseToAStep() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 0).arrives(12, 1).admits(2);
    run.refusesDecision(
        "need 3 of 2 free blocks", (view, decisions) -> Run.step(view, decisions, 0, 2, 12));
    run.transferCompletes(0).steps(DEVICE, 2, 12);
    assertThat(run.table(2)).doesNotContain(2);
  }

  @Test
  void async_besideAStepInFlight_shouldNotDisturbIt() {
    Run run = resident();
    run.steps(DEVICE, 1, 1).transfers(DEVICE, HOST, ASYNC, 0);
    run.then("step 1@3+1", "async swap_out [0>1] 0: 0>0 1>1");
    run.transferCompletes(0).then();
    run.completes(DEVICE).then();
    assertThat(run.sequence(1).computedTokens()).isEqualTo(4);
  }

  @Test
  void async_oneOfSeveralSamples_shouldLeaveSharedBlocksWithTheOthers() {
    Run run = samples();
    run.transfers(DEVICE, HOST, ASYNC, 1);
    run.then("async swap_out [0>1] 1: 0>0 3>1");
    assertPool(run, DEVICE, 2, 3, 1);
    run.transferCompletes(0).then();
    assertPool(run, DEVICE, 3, 3, 0);
    assertThat(run.view().pool(DEVICE).holders(0)).isEqualTo(2);
  }

  @Test
  void async_samplesOneByOne_shouldMakeSharedBlocksLeaveWithTheLast() {
    Run run = samples();
    run.transfers(DEVICE, HOST, ASYNC, 0).transfers(DEVICE, HOST, ASYNC, 2).thenWhatever();
    assertPool(run, DEVICE, 2, 2, 2);
    run.transfers(DEVICE, HOST, ASYNC, 1).thenWhatever();
    assertPool(run, DEVICE, 2, 0, 4);
    run.transferCompletes(1).then();
    assertPool(run, DEVICE, 3, 0, 3);
    run.transferCompletes(0).then();
    run.transferFails(2).then();
    assertPool(run, DEVICE, 4, 2, 0);
    assertThat(run.table(1)).containsExactly(0, 3);
  }

  @Test
  void async_samplesTogether_shouldKeepSharing() {
    Run run = samples();
    run.transfers(DEVICE, HOST, ASYNC, 0, 1, 2).then("async swap_out [0>1] 0,1,2: 0>0 2>1 3>2 1>3");
    run.transferCompletes(0).then();
    assertPool(run, DEVICE, 6, 0, 0);
    assertPool(run, HOST, 2, 4, 0);
    assertThat(run.view().pool(HOST).holders(0)).isEqualTo(3);
    assertThat(run.residents(HOST)).containsExactly(0, 1, 2);
  }

  @Test
  void async_betweenAllKindsOfPlaces_shouldBeNamedAfterThem() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 1).then("async swap_out [0>1] 1: 2>0");
    run.transferCompletes(0).transfers(HOST, DISK, ASYNC, 1).then("async spill [1>2] 1: 0>0");
    run.transferCompletes(1).transfers(DISK, HOST, ASYNC, 1).then("async unspill [2>1] 1: 0>0");
    run.transferCompletes(2)
        .transfers(HOST, AUXILIARY, ASYNC, 1)
        .then("async swap_in [1>3] 1: 0>0");
    run.transferCompletes(3)
        .transfers(AUXILIARY, DEVICE, ASYNC, 1)
        .then("async offload [3>0] 1: 0>2");
    run.transferCompletes(4).steps(DEVICE, 1, 1).then("step 1@3+1");
    for (int place : new int[] {HOST, DISK}) {
      assertPool(run, place, 4, 0, 0);
    }
  }

  @Test
  void async_completed_shouldQueueBehindThoseThatAreThere() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 1).transfers(DEVICE, HOST, ASYNC, 0);
    run.transferCompletes(1).transferCompletes(0).thenWhatever();
    assertThat(run.residents(HOST)).containsExactly(0, 1);
  }

  // --------------------------------------------------------------- failure

  @Test
  void failedSwapOut_shouldLeaveTheSequenceWhereItWas() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 0).thenWhatever();
    run.transferFails(0).then();
    assertThat(run.sequence(0).status()).isEqualTo(SequenceStatus.RUNNING);
    assertThat(run.sequence(0).failures()).isEqualTo(1);
    assertThat(run.table(0)).containsExactly(0, 1);
    assertThat(run.residents(DEVICE)).containsExactly(1, 0);
    assertPool(run, DEVICE, 2, 3, 0);
    assertPool(run, HOST, 4, 0, 0);
    run.steps(DEVICE, 0, 1).completes(DEVICE);
    assertThat(run.sequence(0).failures()).isZero();
  }

  @Test
  void failedSwapIn_shouldLeaveTheSequenceOnTheHost() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 0)
        .transferCompletes(0)
        .transfers(HOST, DEVICE, ASYNC, 0)
        .thenWhatever();
    assertThat(run.view().seatsInto(DEVICE)).isEqualTo(1);
    run.transferFails(1).then();
    assertThat(run.view().seatsInto(DEVICE)).isZero();
    assertThat(run.sequence(0).status()).isEqualTo(SequenceStatus.SWAPPED);
    assertThat(run.residents(HOST)).containsExactly(0);
    assertPool(run, DEVICE, 4, 1, 0);
    assertPool(run, HOST, 2, 2, 0);
  }

  @Test
  void failedTransfers_upToTheLimit_shouldCostTheSequence() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 0).transferFails(0);
    run.transfers(DEVICE, HOST, ASYNC, 0).thenWhatever();
    run.transferFails(1).then("finish 0 FAILED");
    assertPool(run, DEVICE, 4, 1, 0);
  }

  @Test
  void failures_shouldCountInARowOnly() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 0).transferFails(0);
    run.transfers(DEVICE, HOST, ASYNC, 0).transferCompletes(1);
    run.transfers(HOST, DEVICE, ASYNC, 0).transferFails(2).thenWhatever();
    assertThat(run.sequence(0).failures()).isEqualTo(1);
  }

  // --------------------------------------------------------------- ordered

  @Test
  void orderedSwapOut_shouldGiveItsBlocksToTheVeryStep() {
    Run run = resident();
    run.arrives(16, 1)
        .admits(2)
        .preempts(0, PreemptionKind.SWAP)
        .transfers(DEVICE, HOST, ORDERED, 0);
    assertPool(run, DEVICE, 4, 1, 0);
    assertThat(run.sequence(0).status()).isEqualTo(SequenceStatus.SWAPPED);
    assertThat(run.sequence(0).pinned()).isTrue();
    run.steps(DEVICE, 2, 16);
    run.then(
        "admit 2", "preempt 0 SWAP", "swap_out [0>1] 0: 0>0 1>1", "step 2+16 new 1,0,3,4 after 0");
    assertThat(run.sequence(0).pinned()).isTrue();
    run.completes(DEVICE).then("finish 2 LENGTH");
    assertThat(run.sequence(0).pinned()).isFalse();
    assertThat(run.residents(HOST)).containsExactly(0);
  }

  @Test
  void orderedSwapIn_shouldKeepHostBlocksUntilItsStepIsDone() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 0).transferCompletes(0).thenWhatever();
    run.transfers(HOST, DEVICE, ORDERED, 0);
    assertPool(run, HOST, 2, 0, 2);
    assertThat(run.sequence(0).pinned()).isTrue();
    run.steps(DEVICE, 0, 1).then("swap_in [1>0] 0: 0>1 1>0", "step 0@6+1 after 1");
    assertPool(run, HOST, 2, 0, 2);
    run.completes(DEVICE).then();
    assertPool(run, HOST, 4, 0, 0);
  }

  @Test
  void orderedTransfers_shouldGoWithTheNextStepInOrder() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ORDERED, 1).transfers(DEVICE, HOST, ORDERED, 0);
    run.steps(DEVICE).then("swap_out [0>1] 1: 2>0", "swap_out [0>1] 0: 0>1 1>2", "step after 0,1");
    run.completes(DEVICE).transfers(HOST, DEVICE, ORDERED, 0).steps(DEVICE, 0, 1);
    run.then("swap_in [1>0] 0: 1>1 2>0", "step 0@6+1 after 2");
  }

  @Test
  void orderedSwapOutAndFailedStep_shouldCostTheSwappedTheirKv() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ORDERED, 0).steps(DEVICE, 1, 1).thenWhatever();
    run.fails(DEVICE).then("preempt 0 RECOMPUTE STEP_FAILED", "preempt 1 RECOMPUTE STEP_FAILED");
    assertThat(run.waiting()).containsExactly(1, 0);
    assertPool(run, DEVICE, 5, 0, 0);
    assertPool(run, HOST, 4, 0, 0);
  }

  @Test
  void orderedSwapInAndFailedStep_shouldFreeBothSides() {
    Run run = resident();
    run.transfers(DEVICE, HOST, ASYNC, 0).transferCompletes(0).thenWhatever();
    run.transfers(HOST, DEVICE, ORDERED, 0).steps(DEVICE, 0, 1).thenWhatever();
    run.fails(DEVICE).then("preempt 0 RECOMPUTE STEP_FAILED");
    assertPool(run, DEVICE, 4, 1, 0);
    assertPool(run, HOST, 4, 0, 0);
  }

  @Test
  void preempt_ofAnyKindButRecompute_shouldOnlyBeCounted() {
    for (PreemptionKind kind : PreemptionKind.values()) {
      Run run = resident();
      run.preempts(0, kind).then("preempt 0 " + kind);
      assertThat(run.sequence(0).preemptions()).isEqualTo(1);
      assertThat(run.waiting().contains(0)).isEqualTo(kind == PreemptionKind.RECOMPUTE);
    }
  }

  @Test
  void recompute_onTheHost_shouldFreeItsBlocksThere() {
    for (TransferMode mode : TransferMode.values()) {
      Run run = resident();
      run.transfers(DEVICE, HOST, mode, 0);
      if (mode == ASYNC) {
        run.transferCompletes(0);
      } else {
        run.steps(DEVICE).completes(DEVICE);
      }
      run.preempts(0, PreemptionKind.RECOMPUTE);
      assertThat(run.waiting()).containsExactly(0);
      assertPool(run, HOST, 4, 0, 0);
    }
  }
}
