package io.fusespill.cli;

import static io.fusespill.replay.explain.Wording.seconds;

import io.fusespill.engine.config.Topology;
import io.fusespill.replay.explain.Moment;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.explain.TimeIn;
import io.fusespill.replay.explain.Wording;
import java.io.PrintWriter;
import java.util.List;

/// Stories as people read them: a line a moment.
final class StoryText {

  private static final double SECOND = 1e9;

  private final PrintWriter out;
  private final Wording wording;
  private final ChoiceText choices;

  StoryText(PrintWriter out, Topology topology) {
    this.out = out;
    this.wording = new Wording(topology);
    this.choices = new ChoiceText(out, topology);
  }

  void print(List<Story> stories) {
    for (int i = 0; i < stories.size(); i++) {
      if (i > 0) {
        out.println();
      }
      print(stories.get(i));
    }
  }

  private void print(Story story) {
    out.println(Wording.heading(story));
    out.println();
    for (Moment moment : story.moments()) {
      out.println(
          "  %11.3f s  %s".formatted(moment.atNanos() / SECOND, wording.describe(moment, story)));
      if (moment instanceof Moment.Chosen chosen) {
        choices.printDetails("                 ", chosen.choice());
      }
    }
    if (!story.ended()) {
      out.println("                 the journal ends, and the sequence lives");
    }
    out.println();
    Table times = new Table().row("time in", "s", "share");
    for (TimeIn time : story.times()) {
      times.row(
          wording.phase(time),
          seconds(time.nanos()),
          "%.1f%%".formatted(100.0 * time.nanos() / Math.max(1, story.totalNanos())));
    }
    times.print(out);
  }
}
