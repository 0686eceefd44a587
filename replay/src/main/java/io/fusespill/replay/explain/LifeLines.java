package io.fusespill.replay.explain;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.replay.timeline.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;

/// The stories of a few sequences that show most of what happened, spread over the whole run.
///
/// Sequences are grouped by number, and of each group the one is told that was in the most phases
/// and places, or of those the first. Groups grow with the run: there are between half of, and as
/// many as, asked for. Memory follows the live sequences.
public final class LifeLines {

  /// The most lines that can be asked for.
  public static final int LINES_MAX = 1_000;

  private static final Comparator<Story> MORE =
      Comparator.<Story>comparingInt(story -> story.times().size())
          .thenComparing(Story::sequence, Comparator.reverseOrder());

  private final int lines;
  private final Span span;
  private final Lives lives;
  private final List<Story> best = new ArrayList<>();
  private int groupSize = 1;
  private int first;
  private int last;

  /// @param lines how many at most, 1 to [#LINES_MAX]
  /// @param span only sequences with KV at some time of it are told of
  public LifeLines(int lines, Span span) {
    if (lines < 1 || lines > LINES_MAX) {
      throw new IllegalArgumentException("%d lines, must be 1 to %,d".formatted(lines, LINES_MAX));
    }
    this.lines = lines;
    this.span = span;
    this.lives =
        new Lives(
            (request, sequence) -> true, arrival -> new StoryWriter(arrival.atNanos()), this::tell);
  }

  /// Takes the next event of the log.
  public void accept(long position, EngineEvent event) {
    lives.accept(position, event);
  }

  private void tell(Life life) {
    if (life.listener() instanceof StoryWriter writer) {
      Story story = writer.story(life);
      if (!present(story)) {
        return;
      }
      first = best.isEmpty() ? story.sequence() : Math.min(first, story.sequence());
      last = Math.max(last, story.sequence());
      while ((last - first) / groupSize >= lines) {
        groupSize *= 2;
      }
      best.add(story);
      regroup();
    }
  }

  private boolean present(Story story) {
    return story.moments().stream()
        .anyMatch(moment ->
            moment instanceof Moment.Stretch stretch
                && stretch.phase() != Phase.WAITING
                && stretch.untilNanos() > span.fromNanos()
                && stretch.atNanos() < span.untilNanos());
  }

  /// Of each group, leaves the story that shows most.
  private void regroup() {
    TreeMap<Integer, Story> groups = new TreeMap<>();
    for (Story story : best) {
      groups.merge(
          (story.sequence() - first) / groupSize,
          story,
          (one, other) -> MORE.compare(other, one) > 0 ? other : one);
    }
    best.clear();
    best.addAll(groups.values());
  }

  /// The log ends: what it leaves open is told as far as it goes.
  public void close() {
    lives.close();
  }

  /// By number of the sequence.
  public List<Story> stories() {
    return best.stream().sorted(Comparator.comparingInt(Story::sequence)).toList();
  }

  /// The run's places.
  public Topology topology() {
    return lives.requireTopology();
  }
}
