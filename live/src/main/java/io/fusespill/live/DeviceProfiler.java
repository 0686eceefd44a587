package io.fusespill.live;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.host.exec.DeviceBench;
import io.fusespill.host.exec.DeviceBench.Copy;
import io.fusespill.host.exec.DeviceBench.Part;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/// Measures a device by a [StepGrid], its copies by size, and both beside each other. What it
/// measures goes to the bench's log as events.
public final class DeviceProfiler {

  /// What a copy and the steps beside it do to each other: medians, in nanoseconds.
  ///
  /// @param blocks of the copy
  /// @param decodes of the step
  public record Overlap(
      String from,
      String to,
      int blocks,
      int decodes,
      long stepNanos,
      long stepBesideNanos,
      long copyNanos,
      long copyBesideNanos) {

    /// By how many per cent steps are slower while copies run.
    public double stepPercent() {
      return 100.0 * (stepBesideNanos - stepNanos) / stepNanos;
    }

    /// By how many per cent copies are slower while steps run.
    public double copyPercent() {
      return 100.0 * (copyBesideNanos - copyNanos) / copyNanos;
    }
  }

  /// Steps before those that count: new shapes are compiled, recorded and tuned in them.
  private static final int WARM = 3;

  /// Steps one at a time, and steps of which the next one waits in the queue.
  private static final int ANSWERED = 2;

  private static final int QUEUED = 4;

  /// A step that takes longer is measured by fewer repetitions.
  private static final long LONG_NANOS = 40_000_000;

  /// A step that takes longer than so many usual steps of decodes is measured by fewer repetitions,
  /// too, and preceded by such decodes, for twice as long as it takes itself: a device that
  /// computes for long lowers its clock, and in a run prompts come between decodes.
  private static final double HEAVY = 1.5;

  private static final int REST_FACTOR = 2;

  /// Rest for so long at most, so that a slow device does not spend its time so.
  private static final long REST_NANOS_MAX = 100_000_000;

  private static final int COPIES = 5;
  private static final int LARGEST_COPY = 256;
  private static final int USUAL_DECODES = 32;
  private static final int USUAL_CONTEXT = 384;
  private static final int OVERLAP_BLOCKS = 16;

  private final DeviceBench bench;
  private final EngineConfig config;
  private final List<List<Part>> grid;
  private final Consumer<Integer> progress;
  private List<Part> usual = List.of();
  private long usualNanos;
  private int done;

  /// @param progress hears how many of [#total] are done
  public DeviceProfiler(
      DeviceBench bench, EngineConfig config, List<List<Part>> grid, Consumer<Integer> progress) {
    this.bench = bench;
    this.config = config;
    this.grid = grid;
    this.progress = progress;
  }

  /// Steps and copies that a profile takes, of different sizes.
  public int total() {
    return grid.size() + copies().size() + 2 * hosts().size();
  }

  /// Measures all.
  public List<Overlap> run() {
    int blocks =
        grid.stream().mapToInt(parts -> bench.blocks(parts, StepGrid.ROOM)).max().orElse(0);
    bench.fill(blocks, filled -> {});
    usual = usualStep();
    if (!usual.isEmpty()) {
      bench.chain(usual, WARM, 1, false);
      usualNanos = median(bench.chain(usual, WARM, 1, false));
    }
    for (List<Part> parts : grid) {
      step(parts);
      progress.accept(++done);
    }
    for (Copy copy : copies()) {
      copy(copy);
      progress.accept(++done);
    }
    List<Overlap> overlaps = new ArrayList<>();
    for (Place host : hosts()) {
      overlap(new Copy(0, host.id(), overlapBlocks(host)), overlaps);
      overlap(new Copy(host.id(), 0, overlapBlocks(host)), overlaps);
    }
    return overlaps;
  }

  private void step(List<Part> parts) {
    long warm = bench.chain(parts, 1, 1, false).getFirst();
    boolean heavy = !usual.isEmpty() && warm > HEAVY * usualNanos;
    if (heavy || warm > LONG_NANOS) {
      if (parts.stream().allMatch(Part::isDecode)) {
        // The second pass of a batch may be recorded as a graph.
        bench.chain(parts, 1, 1, false);
      }
      rest(heavy ? REST_FACTOR * warm : 0);
      bench.chain(parts, 1, 1, true);
      rest(heavy ? REST_FACTOR * warm : 0);
      bench.chain(parts, 2, 2, true);
      return;
    }
    bench.chain(parts, WARM - 1, 1, false);
    bench.chain(parts, ANSWERED, 1, true);
    bench.chain(parts, QUEUED, 2, true);
  }

  private void rest(long nanos) {
    long steps = Math.min(nanos, REST_NANOS_MAX) / Math.max(1, usualNanos);
    for (; steps > 0; steps -= StepGrid.ROOM) {
      bench.chain(usual, (int) Math.min(steps, StepGrid.ROOM), 2, false);
    }
  }

  // ------------------------------------------------------------------ copies

  /// As in a run, beside steps: there the link's thread has slept, and a step takes part of what
  /// memory gives. Alone is what a copy takes behind [StepGrid#ROOM] steps, and all copies where
  /// steps would take too long.
  private void copy(Copy copy) {
    long alone = bench.copies(copy, 1, false).getFirst();
    if (usual.isEmpty() || usualNanos > LONG_NANOS) {
      bench.copies(copy, COPIES, true);
      return;
    }
    int steps = (int) Math.min(StepGrid.ROOM, 2 + alone / Math.max(1, usualNanos));
    for (int i = 0; i < COPIES; i++) {
      bench.copyBeside(usual, steps, 2, copy);
    }
  }

  private List<Place> hosts() {
    return config.topology().places().stream()
        .filter(place -> place.kind() == PlaceKind.HOST && place.blocks() > 0)
        .toList();
  }

  private List<Copy> copies() {
    List<Copy> copies = new ArrayList<>();
    int own = config.topology().place(0).blocks();
    for (Place host : hosts()) {
      int most = Math.min(LARGEST_COPY, Math.min(own, host.blocks()));
      for (int blocks = 1; blocks <= most; blocks *= 2) {
        copies.add(new Copy(0, host.id(), blocks));
        copies.add(new Copy(host.id(), 0, blocks));
      }
    }
    return copies;
  }

  private int overlapBlocks(Place host) {
    return Math.min(OVERLAP_BLOCKS, Math.min(config.topology().place(0).blocks(), host.blocks()));
  }

  private void overlap(Copy copy, List<Overlap> overlaps) {
    if (!usual.isEmpty()) {
      bench.chain(usual, WARM, 2, false);
      long step = median(bench.chain(usual, StepGrid.ROOM, 2, false));
      long alone = median(bench.copies(copy, COPIES, false));
      DeviceBench.Beside beside = bench.chainBeside(usual, StepGrid.ROOM, 2, copy);
      overlaps.add(
          new Overlap(
              config.topology().place(copy.from()).name(),
              config.topology().place(copy.to()).name(),
              copy.blocks(),
              usual.size(),
              step,
              median(beside.steps()),
              alone,
              median(beside.copies())));
    }
    progress.accept(++done);
  }

  /// Of the steps of decodes alone, the one nearest to a usual batch.
  private List<Part> usualStep() {
    return grid.stream()
        .filter(parts -> parts.stream().allMatch(part -> part.tokens() == 1 && part.before() > 0))
        .min(
            Comparator.comparingInt((List<Part> parts) -> Math.abs(parts.size() - USUAL_DECODES))
                .thenComparingInt(parts -> Math.abs(meanContext(parts) - USUAL_CONTEXT)))
        .orElse(List.of());
  }

  private static int meanContext(List<Part> parts) {
    return (int) parts.stream().mapToInt(Part::before).average().orElse(0);
  }

  private static long median(List<Long> nanos) {
    return Math.max(1, nanos.stream().sorted().skip(nanos.size() / 2).findFirst().orElse(1L));
  }
}
