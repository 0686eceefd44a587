package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.cost.CostEstimator;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who comes back to a device under `fusespill` from the host beside it and from the disk behind
/// that, when, and for whom room is made on the host.
final class ReturnPath {

  private final Topology topology;
  private final KvLayout kv;
  private final EngineLimits limits;
  private final Hosts hosts;
  private final Scenes scenes;
  private final MemoryDemand demand;
  private final SampleGroups groups;
  private final CostEstimator estimator;
  private final int lookAhead;

  /// @param lookAhead tokens of each decode for which there is to be room
  ReturnPath(
      EngineConfig config,
      Hosts hosts,
      Scenes scenes,
      MemoryDemand demand,
      SampleGroups groups,
      CostEstimator estimator,
      int lookAhead) {
    this.topology = config.topology();
    this.kv = config.kv();
    this.limits = config.limits();
    this.hosts = hosts;
    this.scenes = scenes;
    this.demand = demand;
    this.groups = groups;
    this.estimator = estimator;
    this.lookAhead = lookAhead;
  }

  /// Brings back the oldest that rests and that this step does not decode, with the samples that
  /// share blocks with it, into what is left over. If that lies on the disk and the host is too
  /// full for it, the oldest on the host goes first and makes room.
  ///
  /// @param remote those on the host that the step is to decode there
  /// @return whether anybody moves
  boolean bringBack(Scene scene, Decisions decisions, StepDraft draft, List<Sequence> remote) {
    EngineView view = scene.view();
    int device = scene.device();
    int host = hosts.swapping(device);
    SequenceQueue resting = view.residents(host);
    boolean changed = false;
    while (true) {
      Sequence oldest = null;
      for (int i = 0; i < resting.size(); i++) {
        Sequence sequence = resting.get(i);
        if (!sequence.pinned()
            && sequence.pendingTokens() > 0
            && kv.blocks(sequence.totalTokens()) <= view.pool(device).total()
            && !remote.contains(sequence)
            && !expectedElsewhere(view, sequence, device)
            && (oldest == null || sequence.id() < oldest.id())) {
          oldest = sequence;
        }
      }
      int disk = hosts.disk(host);
      SampleGroup deepest = disk < 0 ? null : oldestParked(view, disk);
      if (deepest != null
          && (oldest == null
              || (deepest.oldest().id() < oldest.id() && !isInTheWay(view, disk, host, deepest)))) {
        return (!somebodyNeedsTheHost(view) && raise(view, disk, host, decisions, deepest))
            || changed;
      }
      if (oldest == null) {
        return changed;
      }
      SampleGroup group = comingBack(view, device, oldest, remote);
      if (!hasRoomFor(view, device, draft, group, lookAhead + steps(scene, host, group.blocks()))
          || view.seats(device) + group.seats() > limits.maxNumSeqs()
          || !decisions.transfer(host, device, TransferMode.ASYNC, group.ids())) {
        return changed;
      }
      changed = true;
    }
  }

  /// Who comes back with the sequence; it alone where the device could not have all of them.
  private SampleGroup comingBack(
      EngineView view, int device, Sequence sequence, List<Sequence> remote) {
    SampleGroup group =
        groups.of(
            view,
            sequence,
            sample ->
                !sample.pinned()
                    && sample.pendingTokens() > 0
                    && sample.intent() == sequence.intent()
                    && !remote.contains(sample));
    boolean fits =
        grown(group) <= view.pool(device).total() && group.seats() <= limits.maxNumSeqs();
    return fits ? group : groups.single(view, sequence);
  }

  /// Whether a group could come back beside what the others need for their next `tokens` tokens.
  boolean hasRoomFor(EngineView view, int device, StepDraft draft, SampleGroup group, int tokens) {
    return grown(group) + demand.growth(view, device, tokens) <= draft.free();
  }

  /// Blocks that the group holds some steps after its copy.
  private int grown(SampleGroup group) {
    int blocks = -group.shared();
    for (Sequence member : group.members()) {
      blocks += kv.blocks(member.plannedComputedTokens() + 2 * lookAhead);
    }
    return blocks;
  }

  /// Whether a sequence that was chosen to be spilled waits for room on a host: what comes from the
  /// disk would take it.
  private boolean somebodyNeedsTheHost(EngineView view) {
    for (Place place : topology.places()) {
      if (place.computes()) {
        SequenceQueue running = view.residents(place.id());
        for (int i = 0; i < running.size(); i++) {
          if (running.get(i).intent() == Handling.SPILL) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /// Whether the sequence is passing through the host on its way to another device that has room
  /// for it.
  boolean expectedElsewhere(EngineView view, Sequence sequence, int device) {
    return sequence.intent() == Handling.OFFLOAD_DECODE
        && sequence.intentPlace() != device
        && grown(groups.chosen(view, sequence)) <= view.pool(sequence.intentPlace()).free();
  }

  /// Steps that the device takes until a copy of `blocks` blocks from `place` is here. One that has
  /// nothing to do is about to start with one sequence.
  private int steps(Scene scene, int place, int blocks) {
    long nanos = estimator.queuedNanos(scene.view(), place, scene.device(), blocks);
    long stepNanos = scene.stepNanos();
    if (scene.load().rows() == 0) {
      scene.load().addDecode(0);
      stepNanos = Math.max(1, scenes.nanos(scene));
      scene.load().removeDecode(0);
    }
    return (int) Math.min(limits.maxModelTokens(), 1 + nanos / stepNanos);
  }

  /// Steps that the device takes until those on their way here have come, 0 where nobody is.
  int stepsUntilAllArrived(Scene scene) {
    int steps = 0;
    if (scene.view().seatsInto(scene.device()) > 0) {
      for (Place place : topology.places()) {
        if (scene.view().blocksInTransit(place.id(), scene.device()) > 0) {
          steps = Math.max(steps, steps(scene, place.id(), 0));
        }
      }
    }
    return steps;
  }

  /// The oldest in `place` that nobody uses, with the samples that share blocks with it, or null.
  private @Nullable SampleGroup oldestParked(EngineView view, int place) {
    Sequence oldest = null;
    SequenceQueue resting = view.residents(place);
    for (int i = 0; i < resting.size(); i++) {
      Sequence sequence = resting.get(i);
      if (!sequence.pinned() && (oldest == null || sequence.id() < oldest.id())) {
        oldest = sequence;
      }
    }
    return oldest == null ? null : groups.of(view, oldest, sample -> !sample.pinned());
  }

  /// Whether what lies on the host has to leave before an older one can come there from the disk,
  /// and none is coming.
  private static boolean isInTheWay(EngineView view, int disk, int host, SampleGroup deepest) {
    return view.blocksInTransit(disk, host) == 0 && view.pool(host).free() < deepest.blocks();
  }

  private static boolean raise(
      EngineView view, int disk, int host, Decisions decisions, SampleGroup group) {
    return view.blocksInTransit(disk, host) == 0
        && view.pool(host).free() >= group.blocks()
        && decisions.transfer(disk, host, TransferMode.ASYNC, group.ids());
  }

  /// Sends the newest parked sequence on to the disk, one at a time or with the samples that share
  /// blocks with it.
  ///
  /// @return whether room comes
  boolean makeHostRoom(EngineView view, int host, Decisions decisions) {
    int disk = hosts.disk(host);
    if (disk < 0) {
      return false;
    }
    if (view.blocksInTransit(host, disk) > 0) {
      return true;
    }
    Sequence newest = Hosts.newestParked(view, host);
    if (newest == null || newest.table().size() == 0) {
      return false;
    }
    SampleGroup group = groups.of(view, newest, sample -> !sample.pinned());
    return view.pool(disk).free() >= group.blocks()
        && decisions.transfer(host, disk, TransferMode.ASYNC, group.ids());
  }

  /// Where nothing moves anywhere and the device has nobody to decode: the oldest on the host comes
  /// back, or else is computed again; with nobody there, so does the oldest on the disk.
  ///
  /// @return whether there was somebody
  boolean unblock(EngineView view, int device, Decisions decisions, StepDraft draft) {
    int host = hosts.swapping(device);
    if (host < 0) {
      return false;
    }
    SampleGroup parked = oldestParked(view, host);
    if (parked != null) {
      Sequence oldest = parked.oldest();
      if (oldest.table().size() < draft.free()
          && decisions.transfer(host, device, TransferMode.ASYNC, Ints.of(oldest.id()))) {
        return true;
      }
      decisions.preempt(oldest, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
      return true;
    }
    int disk = hosts.disk(host);
    SampleGroup deepest = disk < 0 ? null : oldestParked(view, disk);
    if (deepest == null) {
      return false;
    }
    if (!raise(view, disk, host, decisions, deepest)) {
      decisions.preempt(deepest.oldest(), PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
    }
    return true;
  }
}
