package io.fusespill.replay.explain;

import static io.fusespill.replay.explain.EventScript.GPU;
import static io.fusespill.replay.explain.EventScript.HOST;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.plan.TransferKind;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Given events, what came of all choices.
class HandlingSummaryTest {

  private static HandlingSummary sumUp(EventScript script, int dearest) {
    HandlingSummary summary = new HandlingSummary(dearest);
    long position = 0;
    for (var event : script.events()) {
      summary.accept(position++, event);
    }
    summary.close();
    return summary;
  }

  private static HandlingEstimate swap(long lostNanos) {
    return new HandlingEstimate(Handling.SWAP, HOST, lostNanos, 100);
  }

  /// Sequences 0 and 1 are swapped out and end on the host after 40 and 60 ns, sequence 2 is chosen
  /// to be recomputed and lives on.
  private static EventScript three() {
    EventScript script = new EventScript();
    script.runs(4, 3).runs(4, 3).runs(4, 3);
    long now = 660;
    script.at(now).chooses(0, 12, swap(7)).chooses(1, 1, swap(9));
    script.chooses(2, 30, new HandlingEstimate(Handling.RECOMPUTE, -1, 9, 300));
    for (int sequence = 0; sequence < 2; sequence++) {
      script.preempts(sequence, PreemptionKind.SWAP);
      script.moves(sequence, TransferKind.SWAP_OUT, GPU, HOST).at(now + 10).arrivesThere().at(now);
    }
    script.at(now + 20).plansRemote(0, 6).at(now + 40).completes(GPU, 0);
    script.finishes(0, FinishReason.STOP);
    script.plansRemote(1, 6).at(now + 60).completes(GPU, 1).finishes(1, FinishReason.STOP);
    return script;
  }

  @Test
  void tallies_setWhatWasBelievedAgainstWhatCame() {
    HandlingSummary summary = sumUp(three(), 5);
    assertThat(summary.choices()).isEqualTo(3);
    assertThat(summary.tallies())
        .extracting(HandlingTally::handling)
        .containsExactly(Handling.RECOMPUTE, Handling.SWAP);
    HandlingTally swap = summary.tallies().get(1);
    assertThat(swap.choices()).isEqualTo(2);
    assertThat(swap.begun()).isEqualTo(2);
    assertThat(swap.recomputedInstead()).isZero();
    assertThat(swap.lostNanos()).isEqualTo(16);
    assertThat(swap.meanFreeNanos()).isEqualTo(100);
    assertThat(swap.meanCopyNanos()).isEqualTo(10);
    assertThat(swap.meanAwayNanos()).isEqualTo(50);
    assertThat(swap.endedAway()).isEqualTo(2);
    assertThat(swap.elsewhereTokens()).isEqualTo(2);
    assertThat(swap.elsewherePaceNanos()).isEqualTo(20);
    HandlingTally recompute = summary.tallies().getFirst();
    assertThat(recompute.choices()).isEqualTo(1);
    assertThat(recompute.begun()).isZero();
  }

  /// Believed 12 and 1, true 1 and 1.
  @Test
  void remaining_countsOnlySequencesThatRanToTheirEnd() {
    RemainingTally remaining = sumUp(three(), 5).remaining();
    assertThat(remaining.choices()).isEqualTo(2);
    assertThat(remaining.meanBelieved()).isEqualTo(6.5);
    assertThat(remaining.meanTrue()).isEqualTo(1);
    assertThat(remaining.bias()).isEqualTo(5.5);
    assertThat(remaining.meanAbsoluteError()).isEqualTo(5.5);
  }

  @Test
  void dearest_areThoseOfGreatestLossTheEarlierFirstAmongEquals() {
    assertThat(sumUp(three(), 2).dearest())
        .extracting(choice -> choice.chosen().sequence())
        .containsExactly(1, 2);
    assertThat(sumUp(three(), 0).dearest()).isEmpty();
  }

  @Test
  void shares_areKeptUpToALimit() {
    EventScript script = new EventScript();
    ShareChosen share = new ShareChosen(5, GPU, HOST, 250_000, 300_000, 40, 30);
    for (int i = 0; i <= HandlingSummary.SHARES_MAX; i++) {
      script.add(share);
    }
    HandlingSummary summary = sumUp(script, 5);
    assertThat(summary.sharesChosen()).isEqualTo(HandlingSummary.SHARES_MAX + 1L);
    assertThat(summary.shares()).hasSize(HandlingSummary.SHARES_MAX).contains(share);
    assertThat(summary.choices()).isZero();
    assertThat(summary.tallies()).isEqualTo(List.of());
  }
}
