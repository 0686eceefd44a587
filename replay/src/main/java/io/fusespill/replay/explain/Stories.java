package io.fusespill.replay.explain;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.replay.explain.Lives.Wanted;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The stories of some sequences, or of all, as a fold over a log. Memory follows those told of, or
/// where somebody takes each as it ends, those that live.
public final class Stories {

  private final Lives lives;
  private final @Nullable Consumer<Story> listener;
  private final List<Life> over = new ArrayList<>();

  private Stories(Wanted wanted) {
    lives = lives(wanted);
    listener = null;
  }

  private Stories(Consumer<Story> listener) {
    lives = lives((request, sequence) -> true);
    this.listener = listener;
  }

  private Lives lives(Wanted wanted) {
    return new Lives(wanted, arrival -> new StoryWriter(arrival.atNanos()), this::tell);
  }

  public static Stories ofSequence(int sequence) {
    return new Stories((request, candidate) -> candidate == sequence);
  }

  public static Stories ofSequences(Set<Integer> sequences) {
    return new Stories((request, candidate) -> sequences.contains(candidate));
  }

  public static Stories ofRequest(int request) {
    return new Stories((candidate, sequence) -> candidate == request);
  }

  /// The stories of all sequences, each given to `listener` as it ends.
  public static Stories ofAll(Consumer<Story> listener) {
    return new Stories(listener);
  }

  /// Takes the next event of the log.
  public void accept(long position, EngineEvent event) {
    lives.accept(position, event);
  }

  private void tell(Life life) {
    if (listener == null) {
      over.add(life);
    } else {
      listener.accept(story(life));
    }
  }

  private static Story story(Life life) {
    if (life.listener() instanceof StoryWriter writer) {
      return writer.story(life);
    }
    throw new IllegalStateException("nobody wrote sequence %d down".formatted(life.sequence()));
  }

  /// The log ends: what it leaves open is told as far as it goes.
  public void close() {
    lives.close();
  }

  /// The stories told so far, by number of the sequence; none where somebody takes them. What came
  /// of a choice that samples share with the first sequence is as far as that one is known.
  public List<Story> stories() {
    return over.stream()
        .sorted(Comparator.comparingInt(Life::sequence))
        .map(Stories::story)
        .toList();
  }

  /// Requests that arrived so far.
  public int requests() {
    return lives.requests();
  }

  /// Sequences of the requests that arrived so far.
  public int sequences() {
    return lives.sequences();
  }

  /// The run's places.
  public Topology topology() {
    return lives.requireTopology();
  }
}
