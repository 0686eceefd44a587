package io.fusespill.replay.timeline;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineState;
import java.util.List;

/// KV blocks in use in each place over a run's time, with what moved sequences in and out.
public final class PoolUse {

  /// What happened to a sequence.
  public enum Mark {
    /// Let onto a device.
    ADMITTED,
    /// Preempted, its KV dropped.
    RECOMPUTE,
    /// Preempted, its KV copied to the host.
    SWAP,
    /// Preempted, to be decoded elsewhere.
    OFFLOAD,
    /// Its KV copied from the host to the disk.
    SPILL,
    /// Its KV copied back to a device.
    BACK
  }

  private static final int MARKS = Mark.values().length;

  private final Span span;
  private final EngineState state = new EngineState();
  private TimeBins levels;
  private TimeBins marks;
  private long nowNanos;

  public PoolUse(Span span) {
    this.span = span;
    this.levels = new TimeBins(0, span);
    this.marks = new TimeBins(MARKS, span);
  }

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    if (event.atNanos() > nowNanos) {
      advance(event.atNanos());
    }
    boolean started = state.started();
    state.apply(event);
    if (!started) {
      levels = new TimeBins(places().size(), span);
    }
    switch (event) {
      case SequenceAdmitted admitted -> mark(Mark.ADMITTED, 1);
      case SequencePreempted preempted ->
          mark(
              switch (preempted.kind()) {
                case RECOMPUTE -> Mark.RECOMPUTE;
                case SWAP -> Mark.SWAP;
                case OFFLOAD -> Mark.OFFLOAD;
              },
              1);
      case TransferPlanned planned -> mark(planned.plan());
      default -> {}
    }
  }

  private void mark(TransferPlan plan) {
    if (plan.kind() == TransferKind.SPILL) {
      mark(Mark.SPILL, plan.sequences().size());
    } else if (plan.kind() == TransferKind.SWAP_IN) {
      mark(Mark.BACK, plan.sequences().size());
    }
  }

  private void mark(Mark mark, int sequences) {
    marks.count(mark.ordinal(), nowNanos, sequences);
  }

  private void advance(long toNanos) {
    for (Place place : places()) {
      BlockPool pool = state.pool(place.id());
      levels.hold(place.id(), nowNanos, toNanos, (double) pool.total() - pool.free());
    }
    marks.reach(toNanos);
    nowNanos = toNanos;
  }

  /// The run's places.
  ///
  /// @throws IllegalStateException before the log's first event
  public List<Place> places() {
    return state.config().topology().places();
  }

  /// Bytes of a block.
  public long blockBytes() {
    return state.config().kv().blockBytes();
  }

  /// Bins of time, of equal width but for the last.
  public int bins() {
    return levels.bins();
  }

  public long binFromNanos(int bin) {
    return levels.binFromNanos(bin);
  }

  public long binUntilNanos(int bin) {
    return levels.binUntilNanos(bin);
  }

  /// Blocks of a place that were not free, averaged over the bin's time.
  public double meanBlocks(int place, int bin) {
    return levels.mean(place, bin);
  }

  /// The most blocks of a place that were not free in the bin's time.
  public int peakBlocks(int place, int bin) {
    return (int) levels.peak(place, bin);
  }

  /// How often it happened in the bin's time, in sequences.
  public long marks(Mark mark, int bin) {
    return bin < marks.bins() ? (long) marks.sum(mark.ordinal(), bin) : 0;
  }
}
