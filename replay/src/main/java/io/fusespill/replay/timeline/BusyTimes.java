package io.fusespill.replay.timeline;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;

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
  private static final double NANOS_PER_SECOND = 1e9;

  private record Flight(StepPlan plan, long plannedNanos) {}

  private record Copy(TransferPlan plan, long plannedNanos) {}

  private final Span span;
  private final List<Lane> lanes = new ArrayList<>();
  private final List<List<Busy>> times = new ArrayList<>();
  private final List<Boolean> whole = new ArrayList<>();
  private final List<Deque<Flight>> flights = new ArrayList<>();
  private final List<Deque<Busy>> attended = new ArrayList<>();
  private final TreeMap<Integer, Copy> copies = new TreeMap<>();
  private Topology topology = NOWHERE;
  private long blockBytes;
  private long copiesPerBlock;
  private long[] stepEndNanos = {};
  private long[] channelFreeNanos = {};
  private TimeBins bins;

  private static final Topology NOWHERE =
      new Topology(List.of(Place.device(0, "none", 1)), List.of());

  public BusyTimes(Span span) {
    this.span = span;
    this.bins = new TimeBins(0, span);
  }

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    long now = event.atNanos();
    bins.reach(now);
    switch (event) {
      case RunStarted started -> start(started.config());
      case StepPlanned planned ->
          flights.get(planned.plan().device()).add(new Flight(planned.plan(), now));
      case StepCompleted done -> end(done.device(), now, done.busyNanos(), false);
      case StepFailed failed -> end(failed.device(), now, 0, true);
      case TransferPlanned planned ->
          copies.put(planned.plan().transfer(), new Copy(planned.plan(), now));
      case TransferCompleted done -> end(done.transfer(), now, Work.TRANSFER);
      case TransferFailed failed -> end(failed.transfer(), now, Work.FAILED);
      default -> {}
    }
  }

  private void start(EngineConfig config) {
    topology = config.topology();
    blockBytes = config.kv().blockBytes();
    copiesPerBlock = config.kv().copiesPerBlock();
    for (Place place : topology.places()) {
      flights.add(new ArrayDeque<>());
      attended.add(new ArrayDeque<>());
      lane(place.name(), false);
    }
    for (Link link : topology.links()) {
      lane("%s to %s".formatted(name(link.from()), name(link.to())), true);
    }
    stepEndNanos = new long[topology.places().size()];
    channelFreeNanos = new long[topology.links().size()];
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

  private void end(int device, long now, long busyNanos, boolean failed) {
    Flight flight = flights.get(device).remove();
    StepPlan plan = flight.plan();
    long from =
        busyNanos > 0 ? now - busyNanos : Math.max(flight.plannedNanos(), stepEndNanos[device]);
    stepEndNanos[device] = now;
    for (int i = 0; i < plan.transfers().size(); i++) {
      Copy copy = copies.remove(plan.transfers().get(i));
      if (copy != null) {
        occupy(copy, from, failed ? Work.FAILED : Work.TRANSFER);
      }
    }
    note(device, failed ? Work.FAILED : work(plan), from, now);
    if (plan.remoteEntries() > 0) {
      attend(plan.remotePlace(), from, now);
    }
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

  private static Work work(StepPlan plan) {
    int decodes = 0;
    for (int i = 0; i < plan.size(); i++) {
      decodes += plan.isDecode(i) ? 1 : 0;
    }
    if (plan.size() == 0) {
      return Work.COPY;
    }
    return decodes == plan.size() ? Work.DECODE : decodes == 0 ? Work.PREFILL : Work.MIXED;
  }

  private void end(int transfer, long now, Work work) {
    Copy copy = copies.remove(transfer);
    if (copy != null && copy.plan().mode() == TransferMode.ASYNC) {
      int link = topology.linkIndex(copy.plan().from(), copy.plan().to());
      long from = Math.max(copy.plannedNanos(), free(link));
      channelFreeNanos[link] = now;
      note(topology.places().size() + link, work, from, now);
    }
  }

  private void occupy(Copy copy, long latestNanos, Work work) {
    TransferPlan plan = copy.plan();
    int index = topology.linkIndex(plan.from(), plan.to());
    Link link = topology.links().get(index);
    double nanos =
        (double) plan.blocks() * blockBytes * NANOS_PER_SECOND / link.bytesPerSecond()
            + (double) plan.blocks() * copiesPerBlock * link.copyNanos();
    long from = Math.max(copy.plannedNanos(), free(index));
    long until = Math.min(Math.max(from, latestNanos), from + Math.round(nanos));
    channelFreeNanos[index] = until;
    note(topology.places().size() + index, work, from, until);
  }

  /// When the link's channel is done with what came before.
  private long free(int link) {
    long free = 0;
    for (Link other : topology.sharing(topology.links().get(link))) {
      free = Math.max(free, channelFreeNanos[topology.linkIndex(other.from(), other.to())]);
    }
    return free;
  }

  private void note(int lane, Work work, long fromNanos, long untilNanos) {
    if (untilNanos <= span.fromNanos() || fromNanos >= span.untilNanos()) {
      return;
    }
    bins.hold(lane * WORKS + work.ordinal(), fromNanos, untilNanos, 1);
    List<Busy> kept = times.get(lane);
    Busy last = kept.isEmpty() ? null : kept.getLast();
    if (last != null && last.work() == work && last.untilNanos() >= fromNanos) {
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
