package io.fusespill.replay.explain;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Writes a life down: steps of one phase in one place become one stretch, pauses between them
/// included.
final class StoryWriter implements LifeListener {

  private record State(Phase phase, int place) {}

  /// Steps of one kind in one place, as long as nothing else comes between.
  private static final class Steps {
    final State state;
    final long fromNanos;
    int steps;
    int tokens;
    int recomputedTokens;
    long pausedNanos;

    Steps(State state, long fromNanos) {
      this.state = state;
      this.fromNanos = fromNanos;
    }

    Steps(Steps other) {
      this(other.state, other.fromNanos);
      steps = other.steps;
      tokens = other.tokens;
      recomputedTokens = other.recomputedTokens;
      pausedNanos = other.pausedNanos;
    }
  }

  /// What happened, a choice as what will come of it.
  private record Line(long atNanos, @Nullable Moment moment, @Nullable ChoiceTrack choice) {}

  private final List<Line> lines = new ArrayList<>();
  private final Map<State, Long> times = new LinkedHashMap<>();
  private State state = new State(Phase.WAITING, -1);
  private long sinceNanos;
  private @Nullable Steps steps;
  private int preemptions;

  StoryWriter(long arrivalNanos) {
    sinceNanos = arrivalNanos;
  }

  @Override
  public void turned(long now, Phase phase, int place) {
    State next = new State(phase, place);
    Steps present = steps;
    if (present != null && next.equals(present.state)) {
      present.pausedNanos += now - sinceNanos;
    } else if (present == null
        || phase != Phase.RESTING
        || place != present.state.place()
        || state.phase() == Phase.RESTING) {
      write(now);
      if (phase == Phase.PREFILL || phase == Phase.DECODE) {
        steps = new Steps(next, now);
      }
    }
    spend(now);
    state = next;
  }

  private void spend(long now) {
    if (now > sinceNanos) {
      times.merge(state, now - sinceNanos, Long::sum);
    }
    sinceNanos = now;
  }

  /// Writes down what ends now.
  private void write(long now) {
    Steps present = steps;
    boolean idle = state.phase() == Phase.WAITING || state.phase() == Phase.RESTING;
    if (present != null) {
      add(
          new Moment.Stretch(
              present.state.phase(),
              present.state.place(),
              present.fromNanos,
              idle ? sinceNanos : now,
              present.steps,
              present.tokens,
              present.recomputedTokens,
              present.pausedNanos));
      steps = null;
    }
    if (idle && now > sinceNanos) {
      add(new Moment.Stretch(state.phase(), state.place(), sinceNanos, now, 0, 0, 0, 0));
    }
  }

  private void add(Moment moment) {
    lines.add(new Line(moment.atNanos(), moment, null));
  }

  @Override
  public void stepped(int tokens, int recomputedTokens) {
    Steps present = steps;
    if (present != null) {
      present.steps++;
      present.tokens += tokens;
      present.recomputedTokens += recomputedTokens;
    }
  }

  @Override
  public void noted(Moment moment) {
    preemptions += moment instanceof Moment.Preempted ? 1 : 0;
    add(moment);
  }

  @Override
  public void chosen(ChoiceTrack choice) {
    lines.add(new Line(choice.choice().chosen().atNanos(), null, choice));
  }

  @Override
  public void closed(long now) {
    write(now);
    spend(now);
  }

  @Override
  public LifeListener fork() {
    StoryWriter copy = new StoryWriter(sinceNanos);
    copy.lines.addAll(lines);
    copy.times.putAll(times);
    copy.state = state;
    copy.steps = steps == null ? null : new Steps(steps);
    return copy;
  }

  /// The story of a life that is over.
  Story story(Life life) {
    List<Moment> moments =
        lines.stream()
            .sorted(Comparator.comparingLong(Line::atNanos))
            .map(line ->
                line.choice() == null ? line.moment() : new Moment.Chosen(line.choice().choice()))
            .toList();
    List<TimeIn> spent =
        times.entrySet().stream()
            .map(entry ->
                new TimeIn(entry.getKey().phase(), entry.getKey().place(), entry.getValue()))
            .toList();
    return new Story(
        life.sequence(),
        life.request(),
        moments,
        spent,
        life.firstTokenNanos(),
        life.lastTokenNanos(),
        life.outputTokens(),
        preemptions);
  }
}
