package io.fusespill.cli;

import static io.fusespill.cli.StoryText.count;
import static io.fusespill.cli.StoryText.millis;
import static io.fusespill.cli.StoryText.seconds;
import static io.fusespill.cli.StoryText.words;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.replay.explain.Choice;
import io.fusespill.replay.explain.Outcome;
import java.io.PrintWriter;
import java.io.StringWriter;

/// A choice as people read it: all alternatives, what was believed, what came true.
final class ChoiceText {

  private final PrintWriter out;
  private final Topology topology;

  ChoiceText(PrintWriter out, Topology topology) {
    this.out = out;
    this.topology = topology;
  }

  String title(Choice choice) {
    HandlingChosen chosen = choice.chosen();
    return "%s chosen for its %s on %s after %s (position %d)"
        .formatted(
            words(chosen.choice().handling()),
            count(chosen.blocks(), "block"),
            topology.place(chosen.device()).name(),
            count(choice.outputTokens(), "output token"),
            choice.position());
  }

  void printDetails(String indent, Choice choice) {
    HandlingChosen chosen = choice.chosen();
    Table table = new Table().row("handling", "place", "lost ms", "free s", "ms lost per free s");
    for (int i = 0; i < chosen.estimates().size(); i++) {
      HandlingEstimate estimate = chosen.estimates().get(i);
      table.row(
          (i == chosen.chosen() ? "* " : "  ") + words(estimate.handling()),
          estimate.place() < 0 ? "-" : topology.place(estimate.place()).name(),
          millis(estimate.lostNanos()),
          seconds(estimate.freeNanos()),
          "%,.3f".formatted(1e3 * estimate.lostNanos() / estimate.freeNanos()));
    }
    StringWriter lines = new StringWriter();
    table.print(new PrintWriter(lines));
    lines.toString().lines().forEach(line -> out.println(indent + line));
    out.println(
        indent + "  believed  %s to come".formatted(count(chosen.remainingTokens(), "token")));
    out.println(indent + "  came      %s".formatted(came(choice)));
  }

  private static String came(Choice choice) {
    Outcome outcome = choice.outcome();
    String remaining =
        outcome.remainingKnown()
            ? count(outcome.remainingTokens(), "token")
            : "its end is not known";
    return "%s; %s%s".formatted(remaining, how(choice), fate(outcome));
  }

  private static String how(Choice choice) {
    Outcome outcome = choice.outcome();
    StringBuilder text = new StringBuilder();
    Handling handling = choice.chosen().choice().handling();
    if (outcome.carriedOut() == PreemptionKind.RECOMPUTE && handling != Handling.RECOMPUTE) {
      text.append("recomputed instead, ");
    }
    if (outcome.begunNanos() > 0) {
      text.append("begun after %s ms, ".formatted(millis(outcome.begunNanos())));
    }
    if (outcome.copyNanos() >= 0) {
      text.append("copied in %s ms, ".formatted(millis(outcome.copyNanos())));
    }
    if (outcome.elsewhereTokens() > 0) {
      text.append(
          "%s decoded elsewhere at %s ms each, "
              .formatted(
                  count(outcome.elsewhereTokens(), "token"),
                  millis((double) outcome.elsewhereNanos() / outcome.elsewhereTokens())));
    }
    if (outcome.recomputedTokens() > 0) {
      text.append("%s computed again, ".formatted(count(outcome.recomputedTokens(), "token")));
    }
    return text.toString();
  }

  private static String fate(Outcome outcome) {
    String away =
        outcome.awayNanos() < 0 ? "" : " after %s s".formatted(seconds(outcome.awayNanos()));
    return switch (outcome.fate()) {
      case OPEN -> "open where the journal ends";
      case STAYED -> "it stayed";
      case NOT_BEGUN -> "ended before anything was done";
      case FAILED -> "the copy failed" + away;
      case CHOSEN_AGAIN -> "another handling chosen there" + away;
      case ENDED -> "ended there" + away;
      case BACK -> "back" + away;
    };
  }
}
