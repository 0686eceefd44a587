package io.fusespill.engine.metrics;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.PlaceRestored;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.metrics.RequestOutcome.Ending;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.Window;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The figures of a run as a fold over its events: a live run, a simulation and a replay are
/// measured by this one class.
///
/// A request's TTFT begins with its arrival at the engine. Memory follows the live requests, not
/// their count.
public final class RunMetrics {

  /// One sequence as far as this fold needs it.
  private static final class Track {
    final RequestTrack request;
    int computedTokens;

    /// Tokens that it has had, computed or sampled, before any preemption took their KV.
    int knownTokensMax;

    int totalTokens;
    long firstTokenNanos = -1;
    long lastTokenNanos = -1;

    /// Its end has come, or a failed step took its KV: what steps in flight do for it counts for
    /// nothing.
    boolean wasted;

    boolean preempted;

    Track(RequestTrack request, int totalTokens) {
      this.request = request;
      this.totalTokens = totalTokens;
    }
  }

  private static final class RequestTrack {
    final RequestArrived arrived;
    int liveSequences = 1;
    int outputTokens;
    int preemptions;
    long firstTokenNanos = -1;
    long lastTokenNanos = -1;
    boolean forked;
    boolean failed;
    boolean cancelled;

    RequestTrack(RequestArrived arrived) {
      this.arrived = arrived;
    }
  }

  /// A step in flight on one place.
  private static final class Flight {
    Track[] batch = new Track[16];
    Ints sequences = Ints.EMPTY;
    @Nullable StepPlan plan;
    long plannedNanos;
  }

  /// Steps in flight on one place, oldest first, in a ring of as many as there may be.
  private static final class Flights {
    Flight[] ring;
    int oldest;
    int size;
    long endedNanos;
    long busyNanos;
    long steps;

    Flights(int most) {
      ring = new Flight[most];
      Arrays.setAll(ring, i -> new Flight());
    }

    /// Makes room for `most` steps, or for those that there are.
    void hold(int most) {
      Flight[] larger = new Flight[Math.max(most, ring.length)];
      for (int i = 0; i < larger.length; i++) {
        larger[i] = i < ring.length ? ring[(oldest + i) % ring.length] : new Flight();
      }
      ring = larger;
      oldest = 0;
    }

    Flight begin() {
      return ring[(oldest + size++) % ring.length];
    }

    /// When the oldest step was planned, or the one before it was done, if that is later.
    long sinceNanos() {
      return Math.max(ring[oldest].plannedNanos, endedNanos);
    }

    Flight end() {
      Flight flight = ring[oldest];
      oldest = (oldest + 1) % ring.length;
      size--;
      return flight;
    }
  }

  private final LatencyListener listener;
  private final Window<Track> tracks = new Window<>();
  private final RejectionCounts rejections = new RejectionCounts();
  private final OrderedTransfers ordered = new OrderedTransfers();
  private Flights[] flights = {};
  private int[] poolBlocks = {};
  private int[] usedBlocksMax = {};
  private long nowNanos;
  private long firstArrivalNanos;
  private long arrived;
  private long completed;
  private long cancelled;
  private long failed;
  private long promptTokens;
  private long outputTokens;
  private long prefillSteps;
  private long decodeSteps;
  private long mixedSteps;
  private long copySteps;
  private long preemptions;
  private long preemptedRequests;
  private long recomputedTokens;
  private long prefixCacheHits;
  private int blockTokens;
  private long prefillTokens;
  private long paddedPrefillTokens;
  private long swappedOutBlocks;
  private long swappedInBlocks;
  private long copiedBlocks;
  private long offloadedBlocks;
  private long diskBlocks;
  private long remoteDecodes;
  private long wastedTokens;
  private final long[] handlings = new long[Handling.values().length];
  private long cappedSequences;
  private long failedSteps;
  private long failedTransfers;
  private long runningNanos;
  private long waitingMax;
  private long runningMax;
  private long stateHash;

  public RunMetrics(LatencyListener listener) {
    this.listener = listener;
  }

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    nowNanos = event.atNanos();
    switch (event) {
      case StepPlanned planned -> plan(planned);
      case StepCompleted done -> complete(done);
      case SequenceFinished finished -> finish(finished);
      case RequestArrived arrival -> arrive(arrival);
      case SequencePreempted preempted -> preempt(preempted);
      case TransferPlanned planned -> transfer(planned.plan());
      case RequestRejected rejected -> reject(rejected);
      case StepFailed step -> {
        failedSteps++;
        Flights queue = flights[step.device()];
        queue.busyNanos += nowNanos - queue.sinceNanos();
        StepPlan plan = endStep(queue, 0);
        waste(plan.sequences());
        ordered.takenAlong(plan).forEach(transfer -> waste(transfer.sequences()));
      }
      case SequenceFailed failed -> waste(Ints.of(failed.sequence()));
      case TransferFailed transfer -> failedTransfers++;
      case RunStarted started -> start(started.config());
      case ConfigurationChanged changed -> {
        for (Flights queue : flights) {
          queue.hold(changed.config().limits().maxStepsInFlight());
        }
      }
      case Checkpointed checkpointed -> stateHash = checkpointed.stateHash();
      case HandlingChosen chosen -> handlings[chosen.choice().handling().ordinal()]++;
      case ShareChosen share -> {}
      case RequestCancelled cancellation -> {}
      case TransferCompleted transfer -> {}
      case PlaceFailed failed -> failPlace(failed.place());
      case PlaceRestored restored -> {}
      case SequenceRouted routed -> {}
      case SequenceAdmitted admitted ->
          prefixCacheHits += (long) admitted.keptBlocks() * blockTokens;
      case ResidentsSorted sorted -> {}
    }
  }

  private void start(EngineConfig config) {
    List<Place> places = config.topology().places();
    blockTokens = config.kv().blockTokens();
    flights = new Flights[places.size()];
    poolBlocks = new int[places.size()];
    usedBlocksMax = new int[places.size()];
    for (Place place : places) {
      flights[place.id()] = new Flights(config.limits().maxStepsInFlight());
      poolBlocks[place.id()] = place.computes() ? place.blocks() : 0;
    }
  }

  private void arrive(RequestArrived arrival) {
    firstArrivalNanos = arrived++ == 0 ? nowNanos : firstArrivalNanos;
    tracks.put(
        arrival.firstSequence(), new Track(new RequestTrack(arrival), arrival.promptTokens()));
  }

  private void plan(StepPlanned planned) {
    StepPlan plan = planned.plan();
    Flight flight = flights[plan.device()].begin();
    flight.plan = plan;
    flight.plannedNanos = nowNanos;
    resolve(flight, plan);
    int prefills = 0;
    int tokens = 0;
    for (int i = 0; i < plan.size(); i++) {
      if (!plan.isDecode(i)) {
        Track track = flight.batch[i];
        int computed = plan.newTokens().get(i);
        prefills++;
        tokens += computed;
        recomputedTokens +=
            Math.min(computed, Math.max(0, track.knownTokensMax - plan.computedTokens().get(i)));
      }
    }
    prefillTokens += tokens;
    int decodes = plan.size() - prefills;
    paddedPrefillTokens += plan.batchedTokens() - decodes;
    if (plan.size() == 0) {
      copySteps++;
    } else if (prefills == 0) {
      decodeSteps++;
    } else if (decodes == 0) {
      prefillSteps++;
    } else {
      mixedSteps++;
    }
    remoteDecodes += plan.remoteEntries();
    copiedBlocks += plan.copies().size();
    waitingMax = Math.max(waitingMax, planned.waiting());
    runningMax = Math.max(runningMax, plan.size());
    int used = poolBlocks[plan.device()] - planned.freeBlocks();
    usedBlocksMax[plan.device()] = Math.max(usedBlocksMax[plan.device()], used);
  }

  /// Looks the batch's sequences up, unless it is the very list of the step before.
  @SuppressWarnings("ReferenceEquality") // the same list means the same batch; an equal one may not
  private void resolve(Flight flight, StepPlan plan) {
    if (plan.sequences() == flight.sequences) {
      return;
    }
    flight.sequences = plan.sequences();
    if (flight.batch.length < plan.size()) {
      flight.batch = new Track[Math.max(plan.size(), 2 * flight.batch.length)];
    }
    for (int i = 0; i < plan.size(); i++) {
      flight.batch[i] = track(plan.sequences().get(i));
    }
  }

  private void complete(StepCompleted done) {
    Flights queue = flights[done.device()];
    queue.busyNanos += done.busyNanos();
    queue.steps++;
    Flight flight = queue.ring[queue.oldest];
    StepPlan plan = endStep(queue, done.busyNanos());
    ordered.takenAlong(plan);
    long lastNanos = -1;
    int alike = 0;
    for (int i = 0; i < plan.size(); i++) {
      Track track = flight.batch[i];
      if (track.wasted) {
        wastedTokens += plan.newTokens().get(i);
        continue;
      }
      track.computedTokens = plan.computedTokens().get(i) + plan.newTokens().get(i);
      if (track.computedTokens != track.totalTokens) {
        track.knownTokensMax = Math.max(track.knownTokensMax, track.computedTokens);
        continue;
      }
      track.totalTokens++;
      track.knownTokensMax = track.totalTokens;
      if (track.lastTokenNanos < 0) {
        firstToken(plan.sequences().get(i), track);
        continue;
      }
      if (track.lastTokenNanos != lastNanos) {
        reportInterToken(lastNanos, alike);
        lastNanos = track.lastTokenNanos;
        alike = 0;
      }
      alike++;
      track.lastTokenNanos = nowNanos;
    }
    reportInterToken(lastNanos, alike);
    waste(done.ended());
  }

  /// Steps in flight on other devices may be using what lay there, too.
  private void failPlace(int place) {
    for (Flights queue : flights) {
      for (int i = 0; i < queue.size; i++) {
        StepPlan plan = queue.ring[(queue.oldest + i) % queue.ring.length].plan;
        if (plan != null) {
          waste(plan.sequencesAt(place));
        }
      }
    }
  }

  private void waste(Ints sequences) {
    for (int i = 0; i < sequences.size(); i++) {
      Track track = tracks.get(sequences.get(i));
      if (track != null) {
        track.wasted = true;
      }
    }
  }

  private void reportInterToken(long lastNanos, int alike) {
    if (alike > 0) {
      listener.interToken(nowNanos - lastNanos, alike);
    }
  }

  private void firstToken(int sequence, Track track) {
    track.firstTokenNanos = nowNanos;
    track.lastTokenNanos = nowNanos;
    RequestTrack request = track.request;
    if (request.firstTokenNanos < 0) {
      request.firstTokenNanos = nowNanos;
      listener.timeToFirstToken(nowNanos - request.arrived.atNanos());
    }
    if (!request.forked) {
      request.forked = true;
      fork(sequence, track);
    }
  }

  private void fork(int sequence, Track parent) {
    for (int i = 1; i < parent.request.arrived.samples(); i++) {
      Track child = new Track(parent.request, parent.totalTokens);
      child.computedTokens = parent.computedTokens;
      child.knownTokensMax = parent.knownTokensMax;
      child.firstTokenNanos = nowNanos;
      child.lastTokenNanos = nowNanos;
      parent.request.liveSequences++;
      tracks.put(sequence + i, child);
    }
  }

  /// Takes the oldest step out of the queue. Where nobody says how long it ran, that was since the
  /// one before it was done, or since it was planned.
  private StepPlan endStep(Flights queue, long busyNanos) {
    long sinceNanos = queue.sinceNanos();
    Flight flight = queue.end();
    StepPlan plan = flight.plan;
    if (plan == null) {
      throw new IllegalStateException(
          "a step ends at %d ns that was never planned".formatted(nowNanos));
    }
    flight.plan = null;
    runningNanos += plan.size() * (busyNanos == 0 ? nowNanos - sinceNanos : busyNanos);
    queue.endedNanos = nowNanos;
    return plan;
  }

  private void preempt(SequencePreempted preempted) {
    Track track = track(preempted.sequence());
    preemptions++;
    track.preempted = true;
    if (track.request.preemptions++ == 0) {
      preemptedRequests++;
    }
    if (preempted.kind() == PreemptionKind.RECOMPUTE) {
      track.computedTokens = 0;
      track.wasted = false;
    }
  }

  private void transfer(TransferPlan plan) {
    ordered.add(plan);
    if (plan.kind() == TransferKind.SWAP_OUT) {
      swappedOutBlocks += plan.blocks();
    } else if (plan.kind() == TransferKind.SWAP_IN) {
      swappedInBlocks += plan.blocks();
    } else if (plan.kind() == TransferKind.OFFLOAD) {
      offloadedBlocks += plan.blocks();
    } else {
      diskBlocks += plan.blocks();
    }
  }

  private void finish(SequenceFinished finished) {
    Track track = track(finished.sequence());
    tracks.remove(finished.sequence());
    RequestTrack request = track.request;
    int output = track.totalTokens - request.arrived.promptTokens();
    request.outputTokens += output;
    request.lastTokenNanos = Math.max(request.lastTokenNanos, track.lastTokenNanos);
    cappedSequences += finished.reason() == FinishReason.LENGTH ? 1 : 0;
    request.failed |= finished.reason() == FinishReason.FAILED;
    request.cancelled |= finished.reason() == FinishReason.CANCELLED;
    if (output > 1
        && (finished.reason() == FinishReason.STOP || finished.reason() == FinishReason.LENGTH)) {
      listener.timePerOutputToken(
          (track.lastTokenNanos - track.firstTokenNanos) / (output - 1), track.preempted);
    }
    if (--request.liveSequences == 0) {
      Ending ending =
          request.failed ? Ending.FAILED : request.cancelled ? Ending.CANCELLED : Ending.COMPLETED;
      end(request, ending);
    }
  }

  private void reject(RequestRejected rejected) {
    rejections.add(rejected.reason());
    RequestTrack request = null;
    for (int i = 0; i < rejected.samples(); i++) {
      Track track = tracks.get(rejected.firstSequence() + i);
      if (track != null) {
        tracks.remove(rejected.firstSequence() + i);
        request = track.request;
        request.outputTokens += track.totalTokens - request.arrived.promptTokens();
      }
    }
    if (request == null) {
      throw new IllegalStateException(
          "request %d was rejected without having arrived".formatted(rejected.request()));
    }
    end(request, Ending.REJECTED);
  }

  private void end(RequestTrack request, Ending ending) {
    switch (ending) {
      case COMPLETED -> {
        completed++;
        promptTokens += request.arrived.promptTokens();
      }
      case CANCELLED -> cancelled++;
      case FAILED -> failed++;
      case REJECTED -> {}
    }
    outputTokens += ending == Ending.COMPLETED ? request.outputTokens : 0;
    listener.ended(
        new RequestOutcome(
            request.arrived.request(),
            ending,
            request.arrived.atNanos(),
            request.firstTokenNanos,
            ending == Ending.COMPLETED ? request.lastTokenNanos : nowNanos,
            request.arrived.promptTokens(),
            request.outputTokens,
            request.arrived.samples(),
            request.preemptions));
  }

  private Track track(int sequence) {
    Track track = tracks.get(sequence);
    if (track == null) {
      throw new IllegalStateException(
          "sequence %d is not live at %d ns".formatted(sequence, nowNanos));
    }
    return track;
  }

  /// Time of the newest event.
  public long endNanos() {
    return nowNanos;
  }

  /// From the first request's arrival to the newest event; a live engine starts before anybody asks
  /// anything of it.
  public long durationNanos() {
    return nowNanos - firstArrivalNanos;
  }

  public long arrived() {
    return arrived;
  }

  /// Requests all of whose samples ran to their end.
  public long completed() {
    return completed;
  }

  public long cancelled() {
    return cancelled;
  }

  /// Requests given up after repeated failures.
  public long failed() {
    return failed;
  }

  public long rejected() {
    return rejections.total();
  }

  public long rejected(RejectionReason reason) {
    return rejections.of(reason);
  }

  /// Prompt tokens of completed requests.
  public long promptTokens() {
    return promptTokens;
  }

  /// Output tokens of completed requests, over all samples.
  public long outputTokens() {
    return outputTokens;
  }

  /// Steps in which every entry is a prefill.
  public long prefillSteps() {
    return prefillSteps;
  }

  /// Steps in which every entry is a decode.
  public long decodeSteps() {
    return decodeSteps;
  }

  public long mixedSteps() {
    return mixedSteps;
  }

  /// Steps that only copy blocks.
  public long copySteps() {
    return copySteps;
  }

  public long preemptions() {
    return preemptions;
  }

  public long preemptedRequests() {
    return preemptedRequests;
  }

  /// Prefilled tokens whose sequence had them before it was preempted; the token sampled last
  /// counts among them.
  public long recomputedTokens() {
    return recomputedTokens;
  }

  /// Tokens that sequences found computed when they were admitted, for other prompts or before they
  /// were preempted.
  public long prefixCacheHits() {
    return prefixCacheHits;
  }

  /// Tokens of all prefill entries, recomputed ones included.
  public long prefillTokens() {
    return prefillTokens;
  }

  /// As [#prefillTokens], with the padding of padded steps.
  public long paddedPrefillTokens() {
    return paddedPrefillTokens;
  }

  public long swappedOutBlocks() {
    return swappedOutBlocks;
  }

  /// Blocks copied from one computing place to another.
  public long offloadedBlocks() {
    return offloadedBlocks;
  }

  /// Blocks copied to the disk or back.
  public long diskBlocks() {
    return diskBlocks;
  }

  /// Tokens decoded for sequences whose KV lies on a host that attends.
  public long remoteDecodes() {
    return remoteDecodes;
  }

  /// Tokens computed for sequences whose end or loss was not known yet when the step was planned.
  public long wastedTokens() {
    return wastedTokens;
  }

  /// How often a handling was chosen after weighing it against others.
  public long handlings(Handling handling) {
    return handlings[handling.ordinal()];
  }

  /// Time that the place was at work on steps, as far as their completions tell; on a step that
  /// failed, since it was planned or the one before it was done.
  public long busyNanos(int place) {
    return flights[place].busyNanos;
  }

  /// Steps that the place completed.
  public long steps(int place) {
    return flights[place].steps;
  }

  public long swappedInBlocks() {
    return swappedInBlocks;
  }

  /// Blocks duplicated because they were shared (copy on write).
  public long copiedBlocks() {
    return copiedBlocks;
  }

  /// Sequences cut at their longest output or the model's longest context.
  public long cappedSequences() {
    return cappedSequences;
  }

  public long failedSteps() {
    return failedSteps;
  }

  public long failedTransfers() {
    return failedTransfers;
  }

  /// Sequence-nanoseconds spent in steps: divided by the run's duration, the mean number of running
  /// sequences.
  public long runningNanos() {
    return runningNanos;
  }

  public long runningMax() {
    return runningMax;
  }

  public long waitingMax() {
    return waitingMax;
  }

  /// Number of places.
  public int places() {
    return poolBlocks.length;
  }

  /// Blocks of `place` if it computes, else 0.
  public int poolBlocks(int place) {
    return poolBlocks[place];
  }

  /// The most blocks that were in use on `place` while a step ran.
  public int usedBlocksMax(int place) {
    return usedBlocksMax[place];
  }

  /// The newest checkpoint's hash.
  public long stateHash() {
    return stateHash;
  }
}
