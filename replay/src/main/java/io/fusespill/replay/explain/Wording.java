package io.fusespill.replay.explain;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.replay.explain.Outcome.Fate;
import java.util.Locale;

/// Stories and choices in words, a line each, with the names of the run's places.
public final class Wording {

  private static final double MILLI = 1e6;
  private static final double SECOND = 1e9;

  private final Topology topology;

  public Wording(Topology topology) {
    this.topology = topology;
  }

  /// Whose story it is.
  public static String heading(Story story) {
    RequestArrived request = story.request();
    return "sequence %d of request %d: %s, at most %s, %s"
        .formatted(
            story.sequence(),
            request.request(),
            count(request.promptTokens(), "prompt token"),
            count(request.maxOutputTokens(), "output token"),
            request.hintTokens() == 0
                ? "none declared"
                : "%,d declared".formatted(request.hintTokens()));
  }

  /// What a time was spent on, and where.
  public String phase(TimeIn time) {
    return words(time.phase()) + (time.place() < 0 ? "" : " on " + name(time.place()));
  }

  /// What was chosen, for what, and when in the sequence's life.
  public String title(Choice choice) {
    HandlingChosen chosen = choice.chosen();
    return "%s chosen for its %s on %s after %s (position %d)"
        .formatted(
            words(chosen.choice().handling()),
            count(chosen.blocks(), "block"),
            name(chosen.device()),
            count(choice.outputTokens(), "output token"),
            choice.position());
  }

  /// What happened.
  public String describe(Moment moment, Story story) {
    return switch (moment) {
      case Moment.Arrived m -> "arrived";
      case Moment.Bound m -> "bound to " + name(m.device());
      case Moment.Admitted m ->
          "admitted on "
              + name(m.device())
              + (m.keptBlocks() == 0
                  ? ""
                  : ", where %s of it are".formatted(count(m.keptBlocks(), "block")));
      case Moment.Stretch m -> describe(m, story);
      case Moment.FirstToken m -> "first token";
      case Moment.Forked m -> "came to life as a sample beside sequence " + m.parent();
      case Moment.Chosen m -> title(m.choice());
      case Moment.Preempted m ->
          "preempted for %s: %s".formatted(words(m.kind()), words(m.reason()));
      case Moment.Moved m -> describe(m);
      case Moment.StepLost m ->
          "a step on %s failed, and its KV there is lost: %s"
              .formatted(name(m.device()), m.cause());
      case Moment.Unsampled m ->
          "a step on %s could sample no token for it: %s".formatted(name(m.device()), m.cause());
      case Moment.Cancelled m -> "given up by its client";
      case Moment.Rejected m ->
          "rejected: %s, needed %,d %s of %,d"
              .formatted(words(m.reason()), m.needed(), m.reason().unit(), m.available());
      case Moment.Ended m -> describe(m, story);
    };
  }

  private String describe(Moment.Stretch m, Story story) {
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
                      : ", %s ms each"
                          .formatted(
                              millis((double) (lastToken(m, story) - m.atNanos()) / m.tokens())),
                  paused(m));
    };
  }

  /// The end of a stretch that decodes, without the steps that ran ahead of the last token.
  private static long lastToken(Moment.Stretch m, Story story) {
    return Math.min(m.untilNanos(), Math.max(m.atNanos(), story.lastTokenNanos()));
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
    if (story.e2eNanos() >= 0) {
      text.append(", E2E %s s".formatted(seconds(story.e2eNanos())));
    }
    return text.toString();
  }

  /// What came of a choice: the tokens that were still to come, what was done and how it ended.
  public static String came(Choice choice) {
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
    return outcome.awayNanos() < 0
        ? fate(outcome.fate())
        : "%s after %s s".formatted(fate(outcome.fate()), seconds(outcome.awayNanos()));
  }

  /// How a choice went on.
  public static String fate(Fate fate) {
    return switch (fate) {
      case OPEN -> "open where the journal ends";
      case STAYED -> "it stayed";
      case NOT_BEGUN -> "ended before anything was done";
      case FAILED -> "the copy failed";
      case CHOSEN_AGAIN -> "another handling chosen there";
      case ENDED -> "ended there";
      case BACK -> "back";
    };
  }

  private String name(int place) {
    return topology.place(place).name();
  }

  /// A number with its noun, in the plural unless it is one.
  public static String count(long count, String noun) {
    return "%,d %s%s".formatted(count, noun, count == 1 ? "" : "s");
  }

  /// A constant's name in small letters, with spaces.
  public static String words(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  public static String seconds(double nanos) {
    return "%,.3f".formatted(nanos / SECOND);
  }

  public static String seconds(long nanos) {
    return seconds((double) nanos);
  }

  /// Milliseconds lost for a second in which blocks are free, with the digits that estimates bear.
  public static String lostPerFree(HandlingEstimate estimate) {
    double value = 1e3 * estimate.lostNanos() / estimate.freeNanos();
    return (value < 1 ? "%.3f" : value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%,.0f")
        .formatted(value);
  }

  public static String millis(long nanos) {
    return millis((double) nanos);
  }

  public static String millis(double nanos) {
    double value = nanos / MILLI;
    return (value == 0 ? "%.0f" : value < 1 ? "%.3f" : value < 100 ? "%.1f" : "%,.0f")
        .formatted(value);
  }
}
