package io.fusespill.replay.explain;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.replay.explain.Lives.Wanted;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The story of one sequence, or of all sequences of one request, as a fold over a log. Memory
/// follows those told of.
public final class Stories {

  private final Lives lives;
  private final List<Story> told = new ArrayList<>();

  private Stories(Wanted wanted) {
    lives = new Lives(wanted, arrival -> new StoryWriter(arrival.atNanos()), this::tell);
  }

  public static Stories ofSequence(int sequence) {
    return new Stories((request, candidate) -> candidate == sequence);
  }

  public static Stories ofRequest(int request) {
    return new Stories((candidate, sequence) -> candidate == request);
  }

  /// Takes the next event of the log.
  public void accept(long position, EngineEvent event) {
    lives.accept(position, event);
  }

  private void tell(Life life) {
    if (life.listener() instanceof StoryWriter writer) {
      told.add(writer.story(life));
    }
  }

  /// The log ends: what it leaves open is told as far as it goes.
  public void close() {
    lives.close();
  }

  /// The stories told so far, by number of the sequence.
  public List<Story> stories() {
    return told.stream().sorted(Comparator.comparingInt(Story::sequence)).toList();
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
