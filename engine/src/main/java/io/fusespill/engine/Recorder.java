package io.fusespill.engine;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.policy.Decisions;
import io.fusespill.engine.policy.StepDraft;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Request;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import io.fusespill.engine.state.SequenceStatus;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Checks each decision of a policy against the state, then has it logged and applied.
final class Recorder implements Decisions {

  private final EngineState state;
  private final Consumer<DecisionEvent> log;
  private @Nullable StepDraft[] drafts = {};
  private boolean[] seen = {};
  private int[] distinct = new int[64];

  Recorder(EngineState state, Consumer<DecisionEvent> log) {
    this.state = state;
    this.log = log;
  }

  /// Forgets what an earlier round drafted and did not start.
  void begin() {
    for (StepDraft draft : drafts) {
      if (draft != null && draft.size() > 0) {
        draft.clear(state.firstSequence());
      }
    }
  }

  @Override
  public void reject(Request request, RejectionReason reason, long needed, long available) {
    require(state.request(request.id()) == request, "request %d is not live", request.id());
    for (int i = 0; i < request.samples(); i++) {
      Sequence sequence = state.sequence(request.firstSequence() + i);
      require(
          sequence == null || !(sequence.pinned() || drafted(sequence)),
          "request %d is in use",
          request.id());
    }
    log.accept(
        new RequestRejected(
            state.nowNanos(),
            request.id(),
            request.firstSequence(),
            request.samples(),
            reason,
            needed,
            available));
  }

  @Override
  public void route(Sequence sequence, int device) {
    require(
        sequence.status() == SequenceStatus.WAITING && sequence.home() == Sequence.NOWHERE,
        "sequence %d is not waiting, or bound already",
        sequence.id());
    require(computes(device), "place %d does not compute", device);
    require(!state.failed(device), "place %d has failed", device);
    log.accept(new SequenceRouted(state.nowNanos(), sequence.id(), device));
  }

  @Override
  public void admit(Sequence sequence, int device, int keptBlocks) {
    require(
        sequence.status() == SequenceStatus.WAITING, "sequence %d is not waiting", sequence.id());
    require(computes(device), "place %d does not compute", device);
    require(!state.failed(device), "place %d has failed", device);
    require(
        sequence.home() == Sequence.NOWHERE || sequence.home() == device,
        "sequence %d is bound to another device",
        sequence.id());
    require(
        keptBlocks >= 0 && keptBlocks <= state.keptBlocks(sequence, device, reserved(device)),
        "that many blocks of sequence %d are not there",
        sequence.id());
    log.accept(new SequenceAdmitted(state.nowNanos(), sequence.id(), device, keptBlocks));
  }

  @Override
  public void preempt(Sequence sequence, PreemptionKind kind, PreemptionReason reason) {
    require(resident(sequence), "sequence %d is not resident anywhere or in use", sequence.id());
    log.accept(new SequencePreempted(state.nowNanos(), sequence.id(), kind, reason));
  }

  @Override
  public void weigh(
      Sequence sequence,
      int device,
      int remainingTokens,
      List<HandlingEstimate> estimates,
      int chosen) {
    require(
        sequence.status() == SequenceStatus.RUNNING && sequence.place() == device,
        "sequence %d does not run on place " + device,
        sequence.id());
    log.accept(
        new HandlingChosen(
            state.nowNanos(),
            sequence.id(),
            device,
            remainingTokens,
            sequence.table().size(),
            chosen,
            estimates));
  }

  @Override
  public void share(
      int device,
      int place,
      int sharePpm,
      int closedFormPpm,
      long tokensPerSecond,
      long aloneTokensPerSecond) {
    require(computes(device), "place %d does not compute", device);
    log.accept(
        new ShareChosen(
            state.nowNanos(),
            device,
            place,
            sharePpm,
            closedFormPpm,
            tokensPerSecond,
            aloneTokensPerSecond));
  }

  @Override
  public void sortResidents(int place) {
    SequenceQueue residents = state.residents(place);
    for (int i = 1; i < residents.size(); i++) {
      if (residents.get(i).request().id() < residents.get(i - 1).request().id()) {
        log.accept(new ResidentsSorted(state.nowNanos(), place));
        return;
      }
    }
  }

  @Override
  public boolean transfer(int from, int to, TransferMode mode, Ints sequences) {
    require(topology().linked(from, to), "no link from place %d", from);
    require(
        mode == TransferMode.ASYNC ? orderedFree(from) && orderedFree(to) : orderable(from, to),
        "this mode cannot be mixed with the transfers of place %d",
        from);
    require(!sequences.isEmpty(), "no sequence to move from place %d", from);
    for (int i = 0; i < sequences.size(); i++) {
      Sequence sequence = state.sequence(sequences.get(i));
      require(
          sequence != null
              && resident(sequence)
              && sequence.place() == from
              && sequence.table().size() > 0
              && !sequences.containsBefore(i),
          "sequence %d is not free to move",
          sequences.get(i));
    }
    int blocks = collectDistinct(sequences);
    BlockPool target = state.pool(to);
    if (blocks > target.free() - reserved(to)) {
      return false;
    }
    int[] targets = new int[blocks];
    for (int i = 0; i < blocks; i++) {
      targets[i] = target.upcoming(i);
    }
    log.accept(
        new TransferPlanned(
            state.nowNanos(),
            new TransferPlan(
                state.nextTransfer(),
                topology().transferKind(from, to),
                mode,
                from,
                to,
                sequences,
                Ints.copyOf(distinct, blocks),
                Ints.of(targets))));
    return true;
  }

  @Override
  public int distinctBlocks(Ints sequences) {
    return collectDistinct(sequences);
  }

  @Override
  public StepDraft draft(int device) {
    if (drafts.length == 0) {
      drafts = new @Nullable StepDraft[topology().places().size()];
    }
    StepDraft draft = drafts[device];
    if (draft == null) {
      draft = new StepDraft(device, state);
      drafts[device] = draft;
    }
    return draft.clear(state.firstSequence());
  }

  @Override
  public void start(StepDraft draft, int batchedTokens) {
    int device = draft.device();
    EngineLimits limits = state.config().limits();
    require(!state.failed(device), "place %d has failed", device);
    require(
        state.stepsInFlight(device) < limits.maxStepsInFlight(),
        "as many steps are in flight on place %d as may be",
        device);
    require(
        draft.size() > 0 || !state.orderedPlanned(device).isEmpty(),
        "the step of place %d is empty",
        device);
    require(
        draft.size() <= limits.maxNumSeqs()
            && batchedTokens >= draft.tokens()
            && batchedTokens <= limits.maxNumBatchedTokens(),
        "the step of place %d is over the limits, or has fewer batched tokens than it computes",
        device);
    log.accept(
        new StepPlanned(
            state.nowNanos(),
            draft.plan(state.nextStep(device), state.orderedPlanned(device), batchedTokens),
            draft.free(),
            state.waitingSequences()));
    draft.clear(state.firstSequence());
  }

  private boolean computes(int place) {
    return place >= 0 && place < topology().places().size() && topology().place(place).computes();
  }

  /// Blocks of a place that a step being put together will take.
  private int reserved(int place) {
    int reserved = 0;
    for (StepDraft draft : drafts) {
      if (draft != null) {
        reserved += draft.reserved(place);
      }
    }
    return reserved;
  }

  /// An asynchronous copy into or out of a pool could overtake ordered ones that have not run yet.
  private boolean orderedFree(int place) {
    if (!state.orderedPlanned(place).isEmpty()) {
      return false;
    }
    for (int i = 0; i < state.stepsInFlight(place); i++) {
      if (!state.orderedInFlight(place, i).isEmpty()) {
        return false;
      }
    }
    return true;
  }

  private boolean orderable(int from, int to) {
    boolean deviceIsSource = topology().place(from).computes();
    int device = deviceIsSource ? from : to;
    int other = deviceIsSource ? to : from;
    return topology().place(device).kind() == PlaceKind.DEVICE
        && !topology().place(other).computes()
        && state.seatsInto(device) == 0
        && state.stepInFlight(device) == null;
  }

  private boolean resident(Sequence sequence) {
    return (sequence.status() == SequenceStatus.RUNNING
            || sequence.status() == SequenceStatus.SWAPPED)
        && !sequence.pinned()
        && !drafted(sequence);
  }

  /// Whether a step being put together computes the sequence. One that merely holds a block which
  /// the step will copy may go: the step holds that block itself.
  private boolean drafted(Sequence sequence) {
    for (StepDraft draft : drafts) {
      if (draft != null && draft.contains(sequence)) {
        return true;
      }
    }
    return false;
  }

  /// Puts the distinct blocks of `sequences` into `distinct`, in order of first appearance, and
  /// returns their number.
  private int collectDistinct(Ints sequences) {
    int count = 0;
    for (int i = 0; i < sequences.size(); i++) {
      Sequence sequence = state.sequence(sequences.get(i));
      if (sequence == null) {
        continue;
      }
      for (int b = 0; b < sequence.table().size(); b++) {
        int block = sequence.table().get(b);
        if (block >= seen.length) {
          seen = Arrays.copyOf(seen, Math.max(block + 1, 2 * seen.length));
        }
        if (!seen[block]) {
          seen[block] = true;
          if (count == distinct.length) {
            distinct = Arrays.copyOf(distinct, 2 * count);
          }
          distinct[count++] = block;
        }
      }
    }
    for (int i = 0; i < count; i++) {
      seen[distinct[i]] = false;
    }
    return count;
  }

  private Topology topology() {
    return state.config().topology();
  }

  private void require(boolean holds, String problem, int id) {
    if (!holds) {
      throw new IllegalStateException(problem.formatted(id) + " at position " + state.events());
    }
  }
}
