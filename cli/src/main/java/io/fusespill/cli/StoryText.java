package io.fusespill.cli;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.replay.explain.Moment;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.explain.TimeIn;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/// Stories as people read them: a line a moment.
final class StoryText {

  private static final double MILLI = 1e6;
  private static final double SECOND = 1e9;

  private final PrintWriter out;
  private final Topology topology;
  private final ChoiceText choices;

  StoryText(PrintWriter out, Topology topology) {
    this.out = out;
    this.topology = topology;
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
    RequestArrived request = story.request();
    out.println(
        "sequence %d of request %d: %s, at most %s, %s"
            .formatted(
                story.sequence(),
                request.request(),
                count(request.promptTokens(), "prompt token"),
                count(request.maxOutputTokens(), "output token"),
                request.hintTokens() == 0
                    ? "none declared"
                    : "%,d declared".formatted(request.hintTokens())));
    out.println();
    for (Moment moment : story.moments()) {
      out.println("  %11.3f s  %s".formatted(moment.atNanos() / SECOND, describe(moment, story)));
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
          time.phase().name().toLowerCase(Locale.ROOT)
              + (time.place() < 0 ? "" : " on " + name(time.place())),
          seconds(time.nanos()),
          "%.1f%%".formatted(100.0 * time.nanos() / Math.max(1, story.totalNanos())));
    }
    times.print(out);
  }

  private String describe(Moment moment, Story story) {
    return switch (moment) {
      case Moment.Arrived m -> "arrived";
      case Moment.Bound m -> "bound to " + name(m.device());
      case Moment.Admitted m -> "admitted on " + name(m.device());
      case Moment.Stretch m -> describe(m);
      case Moment.FirstToken m -> "first token";
      case Moment.Forked m -> "came to life as a sample beside sequence " + m.parent();
      case Moment.Chosen m -> choices.title(m.choice());
      case Moment.Preempted m ->
          "preempted for %s: %s".formatted(words(m.kind()), words(m.reason()));
      case Moment.Moved m -> describe(m);
      case Moment.StepLost m ->
          "a step on %s failed, and its KV there is lost: %s"
              .formatted(name(m.device()), m.cause());
      case Moment.Cancelled m -> "given up by its client";
      case Moment.Rejected m ->
          "rejected: %s, needed %,d %s of %,d"
              .formatted(words(m.reason()), m.needed(), m.reason().unit(), m.available());
      case Moment.Ended m -> describe(m, story);
    };
  }

  private String describe(Moment.Stretch m) {
    String until = "to %.3f s".formatted(m.untilNanos() / SECOND);
    return switch (m.phase()) {
      case WAITING -> "waited %s s".formatted(seconds(m.nanos()));
      case RESTING -> "rested %s s on %s".formatted(seconds(m.nanos()), name(m.place()));
      case MOVING -> "moved for %s s".formatted(seconds(m.nanos()));
      case PREFILL ->
          "prefilled %s%s in %s on %s, %s%s"
              .formatted(
                  count(m.tokens(), "token"),
                  m.recomputedTokens() == 0
                      ? ""
                      : " (%,d of them again)".formatted(m.recomputedTokens()),
                  count(m.steps(), "chunk"),
                  name(m.place()),
                  until,
                  paused(m));
      case DECODE ->
          "decoded %s on %s, %s%s%s"
              .formatted(
                  count(m.tokens(), "token"),
                  name(m.place()),
                  until,
                  m.tokens() == 0
                      ? ""
                      : ", %s ms each".formatted(millis((double) m.nanos() / m.tokens())),
                  paused(m));
    };
  }

  private static String paused(Moment.Stretch m) {
    return m.pausedNanos() == 0
        ? ""
        : ", in no step for %s s of it".formatted(seconds(m.pausedNanos()));
  }

  private String describe(Moment.Moved m) {
    String what =
        "%s of %s from %s to %s"
            .formatted(words(m.kind()), count(m.blocks(), "block"), name(m.from()), name(m.to()));
    if (m.doneNanos() < 0) {
      return what + ", under way where the journal ends";
    }
    String took = "%s ms".formatted(millis(m.doneNanos() - m.atNanos()));
    return m.failure() == null
        ? "%s, done after %s".formatted(what, took)
        : "%s failed after %s: %s".formatted(what, took, m.failure());
  }

  private static String describe(Moment.Ended m, Story story) {
    StringBuilder text =
        new StringBuilder(
            "ended by %s with %s"
                .formatted(m.reason(), count(story.outputTokens(), "output token")));
    if (story.ttftNanos() >= 0) {
      text.append(": TTFT %s ms".formatted(millis(story.ttftNanos())));
    }
    if (story.tpotNanos() >= 0) {
      text.append(", TPOT %s ms".formatted(millis(story.tpotNanos())));
    }
    return text.append(", E2E %s s".formatted(seconds(story.totalNanos()))).toString();
  }

  private String name(int place) {
    return topology.place(place).name();
  }

  static String count(long count, String noun) {
    return "%,d %s%s".formatted(count, noun, count == 1 ? "" : "s");
  }

  static String words(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  static String seconds(double nanos) {
    return "%,.3f".formatted(nanos / SECOND);
  }

  static String seconds(long nanos) {
    return seconds((double) nanos);
  }

  static String millis(long nanos) {
    return millis((double) nanos);
  }

  static String millis(double nanos) {
    double value = nanos / MILLI;
    return (value == 0 ? "%.0f" : value < 1 ? "%.3f" : value < 100 ? "%.1f" : "%,.0f")
        .formatted(value);
  }
}
