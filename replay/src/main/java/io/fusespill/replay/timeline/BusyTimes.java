package io.fusespill.replay.timeline;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.plan.StepPlan;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/// When each device and link was at work, and on what.
///
/// A step's time is what its completion says, or else from the end of the step before, or from its
/// planning. A transfer's begins when it was planned or its channel is done with the one before;
/// that of an ordered one, whose end no event tells, is what its link's bandwidth says. A host is
/// at work while a step runs that it attends for.
public final class BusyTimes {

  /// What a device or link works on.
  public enum Work {
    PREFILL,
    DECODE,
    /// Prefills and decodes in one step.
    MIXED,
    /// A step that only copies blocks.
    COPY,
    /// Steps that a host attends for.
    ATTENTION,
    TRANSFER,
    /// A step or transfer that came to nothing.
    FAILED
  }

  /// A device, a host that attends, or a link.
  ///
  /// @param link whether it is a link
  public record Lane(String name, boolean link) {}

  /// A time at work without a pause.
  public record Busy(Work work, long fromNanos, long untilNanos) {}

  /// The most times of a lane that are kept one by one.
  public static final int TIMES_MAX = 4_096;

  /// Steps that are looked back at: more than there are devices that a host attends for.
  private static final int RECENT = 64;

  private static final int WORKS = Work.values().length;

  private final Span span;
  private final List<Lane> lanes = new ArrayList<>();
  private final List<List<Busy>> times = new ArrayList<>();
  private final List<Boolean> whole = new ArrayList<>();
  private final WorkSpans work = new WorkSpans(this::step, this::transfer);
  private final List<Deque<Busy>> attended = new ArrayList<>();
  private Topology topology = NOWHERE;
  private TimeBins bins;

  private static final Topology NOWHERE =
      new Topology(List.of(Place.device(0, "none", 1)), List.of());

  public BusyTimes(Span span) {
    this.span = span;
    this.bins = new TimeBins(0, span);
  }

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    bins.reach(event.atNanos());
    if (event instanceof RunStarted started) {
      start(started.config());
    }
    work.accept(event);
  }

  private void start(EngineConfig config) {
    topology = config.topology();
    for (Place place : topology.places()) {
      attended.add(new ArrayDeque<>());
      lane(place.name(), false);
    }
    for (Link link : topology.links()) {
      lane("%s to %s".formatted(name(link.from()), name(link.to())), true);
    }
    bins = new TimeBins(lanes.size() * WORKS, span);
  }

  private String name(int place) {
    return topology.place(place).name();
  }

  private void lane(String name, boolean link) {
    lanes.add(new Lane(name, link));
    times.add(new ArrayList<>());
    whole.add(true);
  }

  private void step(StepSpan step) {
    StepPlan plan = step.plan();
    note(plan.device(), workOf(step), step.startNanos(), step.endNanos());
    if (plan.remoteEntries() > 0) {
      attend(plan.remotePlace(), step.startNanos(), step.endNanos());
    }
  }

  private void transfer(TransferSpan transfer) {
    note(
        topology.places().size() + transfer.link(),
        transfer.failure() == null ? Work.TRANSFER : Work.FAILED,
        transfer.startNanos(),
        transfer.endNanos());
  }

  /// Notes what of the time the host does not attend already for another device. Steps come in the
  /// order of their ends.
  private void attend(int host, long fromNanos, long untilNanos) {
    Deque<Busy> recent = attended.get(host);
    long until = untilNanos;
    List<Busy> pieces = new ArrayList<>();
    for (Busy busy : recent) {
      if (busy.untilNanos() > fromNanos && busy.fromNanos() < until) {
        if (busy.untilNanos() < until) {
          pieces.add(new Busy(Work.ATTENTION, busy.untilNanos(), until));
        }
        until = Math.max(fromNanos, busy.fromNanos());
      }
    }
    if (fromNanos < until) {
      pieces.add(new Busy(Work.ATTENTION, fromNanos, until));
    }
    for (Busy piece : pieces.reversed()) {
      note(host, Work.ATTENTION, piece.fromNanos(), piece.untilNanos());
    }
    recent.addFirst(new Busy(Work.ATTENTION, fromNanos, untilNanos));
    if (recent.size() > RECENT) {
      recent.removeLast();
    }
  }

  private static Work workOf(StepSpan step) {
    if (step.failure() != null) {
      return Work.FAILED;
    }
    if (step.plan().size() == 0) {
      return Work.COPY;
    }
    return step.prefills() == 0 ? Work.DECODE : step.decodes() == 0 ? Work.PREFILL : Work.MIXED;
  }

  private void note(int lane, Work work, long fromNanos, long untilNanos) {
    if (untilNanos <= span.fromNanos() || fromNanos >= span.untilNanos()) {
      return;
    }
    bins.hold(lane * WORKS + work.ordinal(), fromNanos, untilNanos, 1);
    List<Busy> kept = times.get(lane);
    Busy last = kept.isEmpty() ? null : kept.getLast();
    boolean goesOn =
        last != null
            && last.work() == work
            && last.fromNanos() <= fromNanos
            && last.untilNanos() >= fromNanos;
    if (last != null && goesOn) {
      kept.set(
          kept.size() - 1,
          new Busy(work, last.fromNanos(), Math.max(last.untilNanos(), untilNanos)));
    } else if (kept.size() < TIMES_MAX) {
      kept.add(new Busy(work, fromNanos, untilNanos));
    } else {
      whole.set(lane, false);
    }
  }

  /// Devices, hosts and links, in the order of the topology.
  public List<Lane> lanes() {
    return List.copyOf(lanes);
  }

  /// The times of a lane one by one, in order; empty if there were more than [#TIMES_MAX].
  /// Successive steps of one kind are one time.
  public List<Busy> times(int lane) {
    return whole.get(lane)
        ? times.get(lane).stream().sorted(Comparator.comparingLong(Busy::fromNanos)).toList()
        : List.of();
  }

  /// Whether any lane was at work at all.
  public boolean worked() {
    return times.stream().anyMatch(lane -> !lane.isEmpty());
  }

  /// Bins of time, of equal width but for the last.
  public int bins() {
    return bins.bins();
  }

  public long binFromNanos(int bin) {
    return bins.binFromNanos(bin);
  }

  public long binUntilNanos(int bin) {
    return bins.binUntilNanos(bin);
  }

  /// Share of the bin's time that the lane was at this work, 0 to 1.
  public double share(int lane, Work work, int bin) {
    return bins.mean(lane * WORKS + work.ordinal(), bin);
  }

  /// Time that the lane was at this work.
  public double busyNanos(int lane, Work work) {
    double sum = 0;
    for (int bin = 0; bin < bins(); bin++) {
      sum += bins.sum(lane * WORKS + work.ordinal(), bin);
    }
    return sum;
  }
}
