package io.fusespill.engine;

import static io.fusespill.engine.plan.TransferMode.ASYNC;
import static io.fusespill.engine.plan.TransferMode.ORDERED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.policy.PolicyException;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.StepDraft;
import io.fusespill.engine.state.Request;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// What must not reach the log, because applying it would fail or corrupt the state; and what once
/// did.
class LoggedOnlyIfLegalTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private static StepCompleted completed(int... ended) {
    return new StepCompleted(9_000, 0, 0, Ints.of(ended), Ints.EMPTY);
  }

  @Test
  void accept_endedSampleOfAnUnfinishedPrompt_changesNothing() {
    Run run = engine.given().maxNumBatchedTokens(4).start();
    run.arrives(10, 9, 2).then("admit 0", "step 0+4 new 0");
    run.refuses(completed(1), "sequence 1 took no token");
  }

  @Test
  void accept_moreSamplesThanAnyEngineMayRun_changesNothing() {
    assertThatThrownBy(() -> new RequestArrived(9_000, 1, 1, Integer.MAX_VALUE, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2147483647 samples");
  }

  @Test
  void create_vllmWithABudgetBelowItsSeats_isRefused() {
    EngineConfig config =
        engine.given().policy("vllm-0.2.7").maxNumSeqs(4).maxNumBatchedTokens(2).config();
    assertThatThrownBy(() -> PolicyKind.create(config)).isInstanceOf(PolicyException.class);
  }

  @Test
  void vllmSamplesSwappedOutByTwoDevices_shouldWaitForEachOther() {
    Run run =
        engine
            .given()
            .policy("vllm-0.2.7", "preemption", "swap")
            .maxNumSeqs(4)
            .maxNumBatchedTokens(12)
            .device(2)
            .device(6)
            .host(5)
            .start();
    run.arrives(7, 6, 2).thenWhatever().arrives(4, 7, 2).thenWhatever();
    run.completes(0).thenWhatever().completes(1).thenWhatever();
    run.completes(0).thenWhatever().completes(1).thenWhatever();
    run.fails(1).thenWhatever();
    run.completes(1).thenWhatever().completes(1).thenWhatever();
    run.completes(0).thenWhatever().completes(1).thenWhatever();
  }

  @Test
  void cancelledWhileSwappedOutByTheStep_shouldEndWithIt() {
    Run run = engine.given().byHand().device(8).host(4).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ORDERED, 0).steps(0).cancels(0).thenWhatever();
    run.completes(0).then("finish 0 CANCELLED");
  }

  @Test
  void vllmCancelledWhileSwappedOut_shouldNotHoldPromptsUp() {
    Run run = engine.given().policy("vllm-0.2.7").device(5).host(4).start();
    run.arrives(4, 3).arrives(6, 4, 2).thenWhatever();
    run.completes(0)
        .then(
            "preempt 1 SWAP",
            "preempt 2 SWAP",
            "swap_out [0>1] 1,2: 1>0 2>1",
            "step 0@4+1 new 2 after 0");
    run.cancels(1).arrives(1, 1).completes(0);
    run.then("finish 1 CANCELLED", "finish 2 CANCELLED", "admit 3", "step 3+1 new 1");
  }

  @Test
  void reject_endedRequest_changesNothing() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9).thenWhatever();
    Request request = run.view().request(0);
    run.decides((view, decisions) -> decisions.reject(request, RejectionReason.NEVER_FITS, 1, 0));
    run.refusesDecision(
        "request 0",
        (view, decisions) -> decisions.reject(request, RejectionReason.NEVER_FITS, 1, 0));
  }

  @Test
  void transfer_sequenceNamedTwice_changesNothing() {
    for (TransferMode mode : TransferMode.values()) {
      Run run = engine.given().byHand().device(8).host(8).start();
      run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
      run.completes(0);
      run.refusesDecision(
          "sequence 0", (view, decisions) -> decisions.transfer(0, 1, mode, Ints.of(0, 0)));
    }
  }

  /// The copy of sample 0 is drafted because sample 1 holds the block too.
  @Test
  void preempt_otherHolderOfADraftedCopy_leavesThePlanAsItIsApplied() {
    Run run = engine.given().byHand().device(8).start();
    run.arrives(6, 9, 2).arrives(4, 9).admits(0, 2).steps(0, 0, 6, 2, 4).thenWhatever();
    run.completes(0);
    run.decides((view, decisions) -> {
      StepDraft draft = decisions.draft(0);
      draft.add(view.sequence(0), 1);
      decisions.preempt(view.sequence(1), PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
      draft.add(view.sequence(2), 1);
      decisions.start(draft, draft.tokens());
    });
  }

  @Test
  void step_waitingSequence_changesNothing() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9);
    run.refusesDecision("sequence 0", (view, decisions) -> Run.step(view, decisions, 0, 0, 4));
  }

  @Test
  void step_sequenceTwice_changesNothing() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9).admits(0);
    run.refusesDecision(
        "sequence 0", (view, decisions) -> Run.step(view, decisions, 0, 0, 4, 0, 4));
  }

  @Test
  void step_sequenceOfAnotherDevice_changesNothing() {
    Run run = engine.given().byHand().device(4).device(4).start();
    run.arrives(4, 9).admitsOn(1, 0);
    run.refusesDecision("sequence 0", (view, decisions) -> Run.step(view, decisions, 0, 0, 4));
  }

  @Test
  void step_sequenceUnderWay_changesNothing() {
    Run run = engine.given().byHand().device(8).host(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ASYNC, 0);
    run.refusesDecision("sequence 0", (view, decisions) -> Run.step(view, decisions, 0, 0, 1));
  }

  @Test
  void add_tokensBeyondTheRangeOfAnInt_changesNothing() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0);
    run.refusesDecision(
        "sequence 0",
        (view, decisions) -> decisions.draft(0).add(view.sequence(0), Integer.MAX_VALUE));
  }

  @Test
  void start_negativeBatchedTokens_changesNothing() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9).admits(0);
    run.refusesDecision(
        "over the limits",
        (view, decisions) -> {
          StepDraft draft = decisions.draft(0);
          draft.add(view.sequence(0), 4);
          decisions.start(draft, -1);
        });
  }

  @Test
  void start_fewerBatchedTokensThanDrafted_changesNothing() {
    Run run = engine.given().byHand().maxNumBatchedTokens(3).start();
    run.arrives(4, 9).admits(0);
    run.refusesDecision(
        "over the limits",
        (view, decisions) -> {
          StepDraft draft = decisions.draft(0);
          draft.add(view.sequence(0), 4);
          decisions.start(draft, 0);
        });
  }

  @Test
  void transfer_intoBlocksThatADraftWillTake_findsNoRoom() {
    Run run = engine.given().byHand().device(2).host(8).start();
    run.arrives(4, 9).arrives(4, 9).arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ASYNC, 0).transferCompletes(0).admits(1, 2);
    run.decides((view, decisions) -> {
      StepDraft draft = decisions.draft(0);
      draft.add(view.sequence(1), 4);
      draft.add(view.sequence(2), 4);
      assertThat(decisions.transfer(1, 0, ORDERED, Ints.of(0))).isFalse();
      decisions.start(draft, 8);
    });
  }

  @Test
  void draft_givenUpInItsRound_shouldBindNobodyLater() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9).admits(0);
    run.decides((view, decisions) -> decisions.draft(0).add(view.sequence(0), 4));
    run.preempts(0, PreemptionKind.RECOMPUTE);
  }

  @Test
  void sourceOfACopyInFlight_shouldNotBeGivenAway() {
    Run run = engine.given().byHand().device(8).host(8).start();
    run.arrives(6, 9, 2).arrives(4, 9).admits(0, 2).steps(0, 0, 6, 2, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ASYNC, 2).transferCompletes(0).steps(0, 0, 1);
    run.preempts(1, PreemptionKind.RECOMPUTE).transfers(1, 0, ASYNC, 2);
    // today: step 0@6+1 copy 0:1>2, then async swap_in [1>0] 2: 0>1 while that step runs
    assertThat(run.table(2)).doesNotContain(1);
    assertThat(run.lines().getLast()).doesNotEndWith(">1");
  }

  @Test
  void hash_anotherMaximumOfOutputTokens_isAnother() {
    assertThat(engine.given().start().arrives(4, 5).state().hash())
        .isNotEqualTo(engine.given().start().arrives(4, 6).state().hash());
  }

  @Test
  void hash_anotherStepInFlight_isAnother() {
    Run three = engine.given().byHand().start().arrives(4, 5).admits(0).steps(0, 0, 3);
    Run four = engine.given().byHand().start().arrives(4, 5).admits(0).steps(0, 0, 4);
    assertThat(three.state().hash()).isNotEqualTo(four.state().hash());
  }

  @Test
  void hash_anotherDestinationOfATransfer_isAnother() {
    long[] hashes = new long[2];
    for (int i = 0; i < 2; i++) {
      Run run = engine.given().byHand().device(4).host(4).host(4).start();
      run.arrives(4, 9).arrives(4, 9).admits(0, 1).steps(0, 0, 4, 1, 4).thenWhatever();
      run.completes(0).transfers(0, 1 + i, ASYNC, 0).transfers(0, 2 - i, ASYNC, 1);
      hashes[i] = run.state().hash();
    }
    assertThat(hashes[0]).isNotEqualTo(hashes[1]);
  }

  @Test
  void accept_endedChunkOfAPrompt_changesNothing() {
    Run run = engine.given().maxNumBatchedTokens(4).start();
    run.arrives(10, 9).then("admit 0", "step 0+4 new 0");
    run.refuses(completed(0), "sequence 0 took no token");
  }

  @Test
  void accept_startUnderAnotherConfiguration_changesNothing() {
    Run run = engine.given().unstarted();
    run.refuses(
        new RunStarted(0, "", "", 0, engine.given().device(3).device(3).config()),
        "another configuration");
  }

  @Test
  void schedule_beforeTheStart_saysSo() {
    Run run = engine.given().unstarted();
    assertThatThrownBy(() -> run.engine().schedule()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void checkpoint_beforeTheStart_isRefused() {
    Engine fresh = new Engine(engine.given().config(), event -> 0);
    assertThatThrownBy(fresh::checkpoint).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void admit_toNoPlace_isRefusedAsPromised() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9);
    run.refusesDecision("5", (view, decisions) -> decisions.admit(view.sequence(0), 5));
  }
}
