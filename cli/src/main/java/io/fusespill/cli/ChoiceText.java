package io.fusespill.cli;

import static io.fusespill.replay.explain.Wording.count;
import static io.fusespill.replay.explain.Wording.millis;
import static io.fusespill.replay.explain.Wording.seconds;
import static io.fusespill.replay.explain.Wording.words;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.replay.explain.Choice;
import io.fusespill.replay.explain.Wording;
import java.io.PrintWriter;
import java.io.StringWriter;

/// A choice as people read it: all alternatives, what was believed, what came true.
final class ChoiceText {

  private final PrintWriter out;
  private final Topology topology;
  private final Wording wording;

  ChoiceText(PrintWriter out, Topology topology) {
    this.out = out;
    this.topology = topology;
    this.wording = new Wording(topology);
  }

  String title(Choice choice) {
    return wording.title(choice);
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
          Wording.lostPerFree(estimate));
    }
    StringWriter lines = new StringWriter();
    table.print(new PrintWriter(lines));
    lines.toString().lines().forEach(line -> out.println(indent + line));
    out.println(
        indent + "  believed  %s to come".formatted(count(chosen.remainingTokens(), "token")));
    out.println(indent + "  came      %s".formatted(Wording.came(choice)));
  }
}
