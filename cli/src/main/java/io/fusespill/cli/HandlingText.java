package io.fusespill.cli;

import static io.fusespill.replay.explain.Wording.millis;
import static io.fusespill.replay.explain.Wording.seconds;
import static io.fusespill.replay.explain.Wording.words;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.replay.explain.Choice;
import io.fusespill.replay.explain.HandlingSummary;
import io.fusespill.replay.explain.HandlingTally;
import io.fusespill.replay.explain.RemainingTally;
import io.fusespill.replay.explain.Wording;
import java.io.PrintWriter;
import java.util.List;

/// What came of all handlings, as people read it.
final class HandlingText {

  private static final int SHARES_SHOWN_MAX = 20;
  private static final double PPM_PER_PERCENT = 1e4;

  private final PrintWriter out;
  private final Topology topology;

  HandlingText(PrintWriter out, Topology topology) {
    this.out = out;
    this.topology = topology;
  }

  void print(HandlingSummary summary) {
    if (summary.choices() == 0) {
      out.println(
          "no handling was chosen: only policy fusespill weighs them, and only where memory is short;"
              + " --sequence N tells the story of one");
    } else {
      printTallies(summary.tallies());
      out.println();
      printRemaining(summary.remaining());
      printDearest(summary.dearest());
    }
    if (summary.sharesChosen() > 0) {
      printShares(summary);
    }
  }

  private void printTallies(List<HandlingTally> tallies) {
    Table table =
        new Table()
            .row(
                "handling",
                "chosen",
                "begun",
                "recomputed instead",
                "lost s",
                "free s",
                "copy ms",
                "away s",
                "ended away",
                "tokens elsewhere",
                "ms each",
                "tokens again");
    for (HandlingTally tally : tallies) {
      table.row(
          words(tally.handling()),
          "%,d".formatted(tally.choices()),
          "%,d".formatted(tally.begun()),
          "%,d".formatted(tally.recomputedInstead()),
          seconds(tally.lostNanos()),
          seconds(tally.meanFreeNanos()),
          millis(tally.meanCopyNanos()),
          seconds(tally.meanAwayNanos()),
          "%,d".formatted(tally.endedAway()),
          "%,d".formatted(tally.elsewhereTokens()),
          millis(tally.elsewherePaceNanos()),
          "%,d".formatted(tally.recomputedTokens()));
    }
    table.print(out);
    out.println("  lost: estimated, of all; free: estimated, mean; copy, away: measured, mean.");
  }

  private void printRemaining(RemainingTally remaining) {
    out.println(
        "remaining tokens: believed %,.1f, true %,.1f on average over %s; bias %+,.1f, mean error %,.1f"
            .formatted(
                remaining.meanBelieved(),
                remaining.meanTrue(),
                Wording.count(remaining.choices(), "choice"),
                remaining.bias(),
                remaining.meanAbsoluteError()));
  }

  private void printDearest(List<Choice> dearest) {
    ChoiceText text = new ChoiceText(out, topology);
    for (Choice choice : dearest) {
      out.println();
      out.println(
          "%.3f s  sequence %d: %s"
              .formatted(
                  choice.chosen().atNanos() / 1e9, choice.chosen().sequence(), text.title(choice)));
      text.printDetails("", choice);
    }
  }

  private void printShares(HandlingSummary summary) {
    out.println();
    Table table =
        new Table()
            .row("share chosen at s", "device", "place", "share", "alpha*", "tokens/s", "alone");
    for (ShareChosen share : summary.shares().stream().limit(SHARES_SHOWN_MAX).toList()) {
      table.row(
          seconds(share.atNanos()),
          topology.place(share.device()).name(),
          topology.place(share.place()).name(),
          "%.1f%%".formatted(share.sharePpm() / PPM_PER_PERCENT),
          "%.1f%%".formatted(share.closedFormPpm() / PPM_PER_PERCENT),
          "%,d".formatted(share.tokensPerSecond()),
          "%,d".formatted(share.aloneTokensPerSecond()));
    }
    table.print(out);
    if (summary.sharesChosen() > SHARES_SHOWN_MAX) {
      out.println(
          "  … and %,d more (--json shows the first %,d)"
              .formatted(summary.sharesChosen() - SHARES_SHOWN_MAX, HandlingSummary.SHARES_MAX));
    }
  }
}
