package io.fusespill.engine;

import static io.fusespill.engine.plan.TransferMode.ASYNC;
import static io.fusespill.engine.plan.TransferMode.ORDERED;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.policy.Decisions;
import io.fusespill.engine.policy.StepDraft;
import io.fusespill.engine.state.EngineView;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Decisions that do not fit are refused before they are logged.
class DecisionsTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  /// Sequences 0 and 1 run on device 0 (8 blocks) with KV, 2 runs there without, 3 waits; device 1
  /// (4 blocks) and host 2 (8 blocks) are empty.
  private Run resident() {
    Run run = engine.given().byHand().device(8).device(4).host(8).maxNumBatchedTokens(16).start();
    run.arrives(4, 9).arrives(6, 9).arrives(3, 9).arrives(5, 9);
    run.admits(0, 1).steps(0, 0, 4, 1, 6).thenWhatever();
    return run.completes(0).admits(2);
  }

  private static BiConsumer<EngineView, Decisions> transfer(
      int from, int to, TransferMode mode, int... sequences) {
    return (view, decisions) -> decisions.transfer(from, to, mode, Ints.of(sequences));
  }

  private static BiConsumer<EngineView, Decisions> preempt(int sequence) {
    return (view, decisions) ->
        decisions.preempt(
            view.sequence(sequence), PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
  }

  // ------------------------------------------------------------- admission

  @Test
  void admit_runningSequence_changesNothing() {
    resident()
        .refusesDecision(
            "sequence 0 is not waiting", (view, decisions) -> decisions.admit(view.sequence(0), 0));
  }

  @Test
  void admit_toAPlaceThatDoesNotCompute_changesNothing() {
    resident()
        .refusesDecision(
            "place 2 does not compute", (view, decisions) -> decisions.admit(view.sequence(3), 2));
  }

  // ------------------------------------------------------------ preemption

  @Test
  void preempt_waitingSequence_changesNothing() {
    resident().refusesDecision("sequence 3 is not resident", preempt(3));
  }

  @Test
  void preempt_sequenceOfAStepInFlight_changesNothing() {
    Run run = resident().steps(0, 0, 1);
    run.refusesDecision("sequence 0 is not resident anywhere or in use", preempt(0));
    run.decides(preempt(1)).then("admit 2", "step 0@4+1 new 3", "preempt 1 RECOMPUTE");
  }

  @Test
  void preempt_sequenceUnderWay_changesNothing() {
    Run run = resident().transfers(0, 2, ASYNC, 0);
    run.refusesDecision("sequence 0 is not resident", preempt(0));
  }

  @Test
  void preempt_draftedSequence_changesNothing() {
    resident()
        .refusesDecision(
            "sequence 0 is not resident anywhere or in use",
            (view, decisions) -> {
              decisions.draft(0).add(view.sequence(0), 1);
              preempt(0).accept(view, decisions);
            });
  }

  @Test
  void preempt_afterItsDraftWasDropped_isPossible() {
    Run run = resident();
    run.decides((view, decisions) -> {
      decisions.draft(0).add(view.sequence(0), 1);
      decisions.draft(0);
      preempt(0).accept(view, decisions);
    });
    assertThat(run.waiting()).containsExactly(0, 3);
  }

  // ------------------------------------------------------------- rejection

  @Test
  void reject_requestOfAStepInFlight_changesNothing() {
    Run run = resident().steps(0, 1, 1);
    run.refusesDecision(
        "request 1 is in use",
        (view, decisions) -> decisions.reject(view.request(1), RejectionReason.NEVER_FITS, 1, 0));
  }

  @Test
  void reject_draftedRequest_changesNothing() {
    resident()
        .refusesDecision(
            "request 1 is in use",
            (view, decisions) -> {
              decisions.draft(0).add(view.sequence(1), 1);
              decisions.reject(view.request(1), RejectionReason.NEVER_FITS, 1, 0);
            });
  }

  @Test
  void reject_oneOfWhoseSamplesIsInUse_changesNothing() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9, 2).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).steps(0, 1, 1);
    run.refusesDecision(
        "request 0 is in use",
        (view, decisions) -> decisions.reject(view.request(0), RejectionReason.NEVER_FITS, 1, 0));
  }

  @Test
  void reject_residentRequest_freesItsBlocks() {
    Run run = resident();
    run.decides(
        (view, decisions) -> decisions.reject(view.request(1), RejectionReason.NEVER_FITS, 9, 8));
    run.then("admit 2", "reject 1 NEVER_FITS 9/8");
    assertThat(run.free(0)).isEqualTo(7);
  }

  // -------------------------------------------------------------- transfer

  @Test
  void transfer_withoutALink_changesNothing() {
    Run run = engine.given().byHand().device(4).host(4).disk(4).link(0, 1).link(1, 2).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0);
    run.refusesDecision("no link from place 0", transfer(0, 2, ASYNC, 0));
    run.refusesDecision("no link from place 1", transfer(1, 0, ORDERED, 0));
    run.refusesDecision("no link from place 0", transfer(0, 0, ASYNC, 0));
    run.refusesDecision("no link from place 0", transfer(0, 7, ASYNC, 0));
    run.refusesDecision("no link from place -1", transfer(-1, 0, ASYNC, 0));
  }

  @Test
  void transfer_sequenceThatIsNotFreeToMove_changesNothing() {
    for (TransferMode mode : TransferMode.values()) {
      Run run = resident();
      run.refusesDecision("sequence 3 is not free to move", transfer(0, 2, mode, 3)); // waits
      run.refusesDecision("sequence 2 is not free to move", transfer(0, 2, mode, 2)); // has no KV
      run.refusesDecision(
          "sequence 0 is not free to move", transfer(2, 0, mode, 0)); // is elsewhere
      run.refusesDecision(
          "sequence 9 is not free to move", transfer(0, 2, mode, 9)); // does not exist
      run.refusesDecision("sequence 3 is not free to move", transfer(0, 2, mode, 0, 3));
    }
  }

  @Test
  void transfer_pinnedSequence_changesNothing() {
    Run run = resident().steps(0, 1, 1);
    run.refusesDecision("sequence 1 is not free to move", transfer(0, 2, ASYNC, 1));
    run.transfers(0, 2, ASYNC, 0);
    run.refusesDecision("sequence 0 is not free to move", transfer(0, 2, ASYNC, 0));
  }

  @Test
  void transfer_draftedSequence_changesNothing() {
    resident()
        .refusesDecision(
            "sequence 0 is not free to move",
            (view, decisions) -> {
              decisions.draft(0).add(view.sequence(0), 1);
              decisions.transfer(0, 2, ORDERED, Ints.of(0));
            });
  }

  @Test
  void transfer_orderedWhileAStepIsInFlight_changesNothing() {
    Run run = resident().steps(0, 1, 1);
    run.refusesDecision("this mode cannot be mixed", transfer(0, 2, ORDERED, 0));
    run.completes(0).transfers(0, 2, ORDERED, 0).steps(0);
    run.completes(0).steps(0, 1, 1);
    run.refusesDecision("this mode cannot be mixed", transfer(2, 0, ORDERED, 0));
  }

  @Test
  void transfer_orderedBetweenTwoDevicesOrTwoHosts_changesNothing() {
    resident().refusesDecision("this mode cannot be mixed", transfer(0, 1, ORDERED, 0));
    Run run = engine.given().byHand().device(4).host(4).host(4).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, ASYNC, 0).transferCompletes(0);
    run.refusesDecision("this mode cannot be mixed", transfer(1, 2, ORDERED, 0));
  }

  @Test
  void transfer_asyncBesideOrderedOnes_changesNothing() {
    Run run = resident().transfers(0, 2, ORDERED, 0);
    run.refusesDecision("this mode cannot be mixed", transfer(0, 2, ASYNC, 1));
    run.steps(0);
    run.refusesDecision("this mode cannot be mixed", transfer(0, 1, ASYNC, 1));
    run.completes(0)
        .transfers(0, 1, ASYNC, 1)
        .then("admit 2", "swap_out [0>2] 0: 0>0", "step after 0", "async offload [0>1] 1: 1>0 2>1");
  }

  @Test
  void transfer_asyncIntoADeviceBesideOrderedOnes_changesNothing() {
    Run run = resident().transfers(0, 2, ASYNC, 0).transferCompletes(0).transfers(0, 2, ORDERED, 1);
    run.refusesDecision("this mode cannot be mixed", transfer(2, 0, ASYNC, 0));
    run.transfers(2, 1, ASYNC, 0);
  }

  @Test
  void transfer_orderedWhileAnAsyncOneComesIn_changesNothing() {
    Run run = resident().transfers(0, 2, ASYNC, 0).transferCompletes(0);
    run.transfers(2, 0, ASYNC, 0);
    run.refusesDecision("this mode cannot be mixed", transfer(0, 2, ORDERED, 1));
    run.transferCompletes(1).transfers(0, 2, ORDERED, 1).steps(0);
  }

  @Test
  void transfer_targetWithoutRoom_saysSoAndChangesNothing() {
    Run run = engine.given().byHand().device(4).host(1).start();
    run.arrives(8, 9).admits(0).steps(0, 0, 8).thenWhatever();
    run.completes(0);
    long hash = run.state().hash();
    int events = run.log().size();
    run.decides((view, decisions) -> {
      assertThat(decisions.transfer(0, 1, ASYNC, Ints.of(0))).isFalse();
      assertThat(decisions.transfer(0, 1, ORDERED, Ints.of(0))).isFalse();
    });
    assertThat(run.state().hash()).isEqualTo(hash);
    assertThat(run.log()).hasSize(events);
  }

  // ------------------------------------------------------------------ step

  @Test
  void start_moreSequencesOrTokensThanTheLimits_changesNothing() {
    Run run = engine.given().byHand().maxNumSeqs(2).maxNumBatchedTokens(8).start();
    run.arrives(4, 9).arrives(4, 9).arrives(4, 9).admits(0, 1, 2);
    run.refusesDecision(
        "over the limits", (view, decisions) -> Run.step(view, decisions, 0, 0, 1, 1, 1, 2, 1));
    run.refusesDecision(
        "over the limits",
        (view, decisions) -> {
          StepDraft draft = decisions.draft(0);
          draft.add(view.sequence(0), 4);
          decisions.start(draft, 9);
        });
    run.steps(0, 0, 4, 1, 4);
  }

  @Test
  void start_whileAStepIsInFlight_changesNothing() {
    Run run = resident().steps(0, 0, 1);
    run.refusesDecision(
        "as many steps are in flight on place 0 as may be",
        (view, decisions) -> Run.step(view, decisions, 0, 1, 1));
  }

  @Test
  void add_moreTokensOrBlocksThanThereAre_changesNothing() {
    Run run = engine.given().byHand().device(2).start();
    run.arrives(9, 9).arrives(4, 9).admits(0, 1);
    run.refusesDecision(
        "3 of 2 free blocks", (view, decisions) -> decisions.draft(0).add(view.sequence(0), 9));
    run.refusesDecision(
        "5 tokens of sequence 1", (view, decisions) -> decisions.draft(0).add(view.sequence(1), 5));
    run.refusesDecision(
        "0 tokens of sequence 1", (view, decisions) -> decisions.draft(0).add(view.sequence(1), 0));
    run.refusesDecision(
        "-1 tokens of sequence 1",
        (view, decisions) -> decisions.draft(0).add(view.sequence(1), -1));
    run.decides((view, decisions) -> {
      StepDraft draft = decisions.draft(0);
      assertThat(draft.blocksFor(view.sequence(0), 5)).isEqualTo(2);
      draft.add(view.sequence(0), 5);
      assertThat(draft.free()).isZero();
      assertThat(draft.contains(view.sequence(0))).isTrue();
      assertThat(draft.canReject(view, view.request(0))).isFalse();
      assertThat(draft.canReject(view, view.request(1))).isTrue();
      assertThat(draft.clear(0).free()).isEqualTo(2);
    });
  }

  // ------------------------------------------------------------------ rest

  @Test
  void sortResidents_whereSorted_logsNothing() {
    Run run = resident();
    int events = run.log().size();
    run.decides((view, decisions) -> {
      decisions.sortResidents(0);
      decisions.sortResidents(1);
      decisions.sortResidents(2);
    });
    assertThat(run.log()).hasSize(events);
  }

  @Test
  void sortResidents_whereNot_putsTheOldestFirst() {
    Run run = engine.given().byHand().start();
    run.arrives(1, 9).arrives(1, 9).arrives(1, 9).admits(2, 0, 1);
    run.decides((view, decisions) -> decisions.sortResidents(0));
    run.then("admit 2", "admit 0", "admit 1", "sort 0");
    assertThat(run.residents(0)).containsExactly(0, 1, 2);
  }

  @Test
  void distinctBlocks_countsSharedOnesOnce() {
    Run run = engine.given().byHand().start();
    run.arrives(6, 9, 3).admits(0).steps(0, 0, 6).thenWhatever();
    run.completes(0).steps(0, 0, 1, 1, 1).thenWhatever();
    run.decides((view, decisions) -> {
      assertThat(decisions.distinctBlocks(Ints.of(0, 1, 2))).isEqualTo(4);
      assertThat(decisions.distinctBlocks(Ints.of(2))).isEqualTo(2);
      assertThat(decisions.distinctBlocks(Ints.EMPTY)).isZero();
    });
  }
}
