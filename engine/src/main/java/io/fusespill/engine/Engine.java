package io.fusespill.engine;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent;
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
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.engine.policy.SchedulingPolicy.Round;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceStatus;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Takes inputs in total order and decides: the only writer of the state.
///
/// Inputs of one instant form a batch. [#accept] takes them one by one, [#schedule] asks the
/// policies once the batch is complete; an input of a later instant is refused until that has
/// happened. The batch is therefore visible in the log as equal timestamps, and a replay can tell
/// where policies were asked. Not thread-safe.
public final class Engine {

  private static final int ROUNDS_MAX = 1_000_000;

  private final EngineState state = new EngineState();
  private final EventLog log;
  private final Recorder recorder;
  private final Function<EngineConfig, SchedulingPolicy> policies;
  private final EngineConfig config;
  private final List<Place> places;
  private final int computingPlaces;
  private SchedulingPolicy policy;
  private int checkpointEvents;
  private long checkpointDue;
  private boolean scheduled = true;

  /// Sequences and transfers below these numbers are another policy's, which the present one has to
  /// take over from; 0 where there are none.
  private int foreignSequences;

  private int foreignTransfers;

  /// An engine under the policy that `config` names.
  ///
  /// @throws IllegalArgumentException if the policy, one of its options or its fit with the
  ///   topology is not valid
  public Engine(EngineConfig config, EventLog log) {
    this(config, PolicyKind::create, log);
  }

  /// An engine under a policy of the caller's, until the configuration changes.
  public Engine(EngineConfig config, SchedulingPolicy policy, EventLog log) {
    this(config, policy, PolicyKind::create, log);
  }

  /// An engine under whatever policy `policies` makes of a configuration.
  public Engine(
      EngineConfig config, Function<EngineConfig, SchedulingPolicy> policies, EventLog log) {
    this(config, policies.apply(config), policies, log);
  }

  private Engine(
      EngineConfig config,
      SchedulingPolicy policy,
      Function<EngineConfig, SchedulingPolicy> policies,
      EventLog log) {
    this.log = log;
    this.policy = policy;
    this.policies = policies;
    this.config = config;
    this.places = config.topology().places();
    this.computingPlaces = (int) places.stream().filter(Place::computes).count();
    this.checkpointEvents = config.limits().checkpointEvents();
    this.checkpointDue = checkpointEvents == 0 ? Long.MAX_VALUE : checkpointEvents;
    this.recorder = new Recorder(state, this::record);
  }

  public EngineView view() {
    return state;
  }

  /// The whole state, for inspection.
  public EngineState state() {
    return state;
  }

  /// Applies an input and what follows from it by rule: sequences that ended, failed or were given
  /// up.
  ///
  /// @throws InputException if the input does not fit the state; nothing has changed then
  public void accept(InputEvent input) {
    if (input.atNanos() != state.nowNanos() && !scheduled) {
      throw new InputException(
          "input at %d ns before the policies were asked at %d ns"
              .formatted(input.atNanos(), state.nowNanos()));
    }
    check(input);
    SchedulingPolicy successor =
        input instanceof ConfigurationChanged changed ? policies.apply(changed.config()) : policy;
    log.append(input);
    takeOver(input, successor);
    state.apply(input);
    scheduled = false;
    follow(input);
  }

  /// Takes an event of a log that this engine goes on from, input or decision, as it is: nothing is
  /// checked but that it follows from the state, and nothing is decided.
  ///
  /// @throws IllegalStateException if it does not follow
  public void replay(EngineEvent event) {
    SchedulingPolicy successor =
        event instanceof ConfigurationChanged changed ? policies.apply(changed.config()) : policy;
    log.append(event);
    takeOver(event, successor);
    state.apply(event);
    if (event instanceof Checkpointed) {
      setCheckpointDue();
    }
  }

  /// Whoever decides from now on, and what is left of whoever did. The record of the change itself
  /// does not bring the next checkpoint nearer.
  private void takeOver(EngineEvent event, SchedulingPolicy successor) {
    if (!(event instanceof ConfigurationChanged changed)) {
      return;
    }
    EngineConfig present = state.config();
    if (!present.policy().equals(changed.config().policy())) {
      foreignSequences = state.nextSequence();
      boolean sameKind = present.policy().name().equals(changed.config().policy().name());
      foreignTransfers = sameKind ? 0 : state.nextTransfer();
    }
    policy = successor;
    int interval = changed.config().limits().checkpointEvents();
    if (interval == checkpointEvents) {
      checkpointDue += checkpointEvents == 0 ? 0 : 1;
    } else {
      checkpointEvents = interval;
      setCheckpointDue();
    }
  }

  private void setCheckpointDue() {
    checkpointDue = checkpointEvents == 0 ? Long.MAX_VALUE : state.events() + checkpointEvents;
  }

  /// Asks the policies for every device whose queue of steps is not full, again and again until
  /// nobody decides anything more: what one device gives up, another may take.
  public void schedule() {
    requireStarted();
    recorder.begin();
    if (!foreignTransferUnderWay()) {
      recomputeForeign();
      decide();
    }
    scheduled = true;
    if (state.events() >= checkpointDue) {
      checkpoint();
    }
  }

  private void decide() {
    policy.route(state, recorder);
    long before;
    int passes = 0;
    do {
      before = state.events();
      for (Place place : places) {
        if (place.computes() && !state.failed(place.id())) {
          settle(place.id());
        }
      }
      if (++passes > ROUNDS_MAX) {
        throw new IllegalStateException(
            "policies did not settle in %d passes at position %d".formatted(passes, before));
      }
    } while (computingPlaces > 1 && state.events() != before);
  }

  /// Whether a transfer of a policy of another kind is not done yet: its kind of copies may not mix
  /// with those of the present one.
  private boolean foreignTransferUnderWay() {
    if (foreignTransfers == 0) {
      return false;
    }
    for (Place place : places) {
      for (int i = 0; i < state.stepsInFlight(place.id()); i++) {
        for (TransferPlan transfer : state.orderedInFlight(place.id(), i)) {
          if (transfer.transfer() < foreignTransfers) {
            return true;
          }
        }
      }
    }
    for (int id = state.firstTransfer(); id < foreignTransfers; id++) {
      if (state.transferInFlight(id) != null) {
        return true;
      }
    }
    foreignTransfers = 0;
    return false;
  }

  /// Preempts what another policy left, is in nobody's use and is of no use to the present one; the
  /// newest first, so that the oldest waits in front.
  private void recomputeForeign() {
    if (foreignSequences <= state.firstSequence()) {
      foreignSequences = 0;
      return;
    }
    for (int id = foreignSequences - 1; id >= state.firstSequence(); id--) {
      Sequence sequence = state.sequence(id);
      if (sequence != null
          && sequence.place() != Sequence.NOWHERE
          && sequence.status() != SequenceStatus.TRANSFERRING
          && !sequence.pinned()
          && !policy.keeps(state, sequence)) {
        record(
            new SequencePreempted(
                state.nowNanos(), id, PreemptionKind.RECOMPUTE, PreemptionReason.POLICY_CHANGED));
      }
    }
  }

  /// Asks until the device's queue is full, or the policy has nothing more for it.
  private void settle(int device) {
    int depth = state.config().limits().maxStepsInFlight();
    int rounds = 0;
    int steps = state.stepsInFlight(device);
    while (steps < depth) {
      Round round = round(device);
      int now = state.stepsInFlight(device);
      if (round == Round.SETTLED && now == steps) {
        return;
      }
      steps = now;
      if (++rounds > ROUNDS_MAX) {
        throw new IllegalStateException(
            "policy did not settle in %d rounds at position %d".formatted(rounds, state.events()));
      }
    }
  }

  /// One round of the policy for one device.
  Round round(int device) {
    scheduled = true;
    recorder.begin();
    return policy.schedule(state, device, recorder);
  }

  /// Logs the hash of the present state and returns it.
  public long checkpoint() {
    requireStarted();
    long hash = state.hash();
    record(new Checkpointed(state.nowNanos(), hash));
    setCheckpointDue();
    return hash;
  }

  private void requireStarted() {
    if (!state.started()) {
      throw new IllegalStateException(
          "the run has not started: RunStarted must be the first event");
    }
  }

  /// Whether no request is live.
  public boolean idle() {
    return state.liveRequests() == 0;
  }

  private void record(DecisionEvent decision) {
    log.append(decision);
    state.apply(decision);
  }

  private void follow(InputEvent input) {
    switch (input) {
      case RequestArrived arrived -> turnAwayIfTooWide(arrived);
      case StepCompleted completed -> {
        finishAffected();
        handleFailures();
      }
      case TransferCompleted completed -> finishAffected();
      case RequestCancelled cancelled -> finishAffected();
      case SequenceFailed failed -> {}
      case StepFailed failed -> handleFailures();
      case TransferFailed failed -> handleFailures();
      case PlaceFailed failed -> handleFailures();
      case PlaceRestored restored -> {}
      case RunStarted started -> {}
      case ConfigurationChanged changed -> {}
    }
  }

  private void turnAwayIfTooWide(RequestArrived arrived) {
    int limit = state.config().limits().maxNumSeqs();
    if (arrived.samples() > limit) {
      record(
          new RequestRejected(
              state.nowNanos(),
              arrived.request(),
              arrived.firstSequence(),
              arrived.samples(),
              RejectionReason.TOO_MANY_SAMPLES,
              arrived.samples(),
              limit));
    }
  }

  private void finishAffected() {
    List<Sequence> affected = state.affected();
    for (int i = 0; i < affected.size(); i++) {
      Sequence sequence = affected.get(i);
      FinishReason ending = ending(sequence);
      if (ending != null && !sequence.pinned()) {
        finish(sequence, ending);
      }
    }
  }

  private static @Nullable FinishReason ending(Sequence sequence) {
    return sequence.request().cancelled() ? FinishReason.CANCELLED : sequence.ending();
  }

  /// A failed step has lost its sequences' KV; a failed transfer has not, and may be tried again.
  /// Backwards, so that the waiting queue keeps the order of the step.
  private void handleFailures() {
    List<Sequence> affected = state.affected();
    for (int i = affected.size() - 1; i >= 0; i--) {
      Sequence sequence = affected.get(i);
      FinishReason ending = ending(sequence);
      if (sequence.pinned() || state.sequence(sequence.id()) != sequence) {
        continue;
      }
      if (ending != null) {
        finish(sequence, ending);
      } else if (sequence.failures() >= state.config().limits().maxAttempts()) {
        finish(sequence, FinishReason.FAILED);
      } else if (sequence.lost()) {
        record(
            new SequencePreempted(
                state.nowNanos(),
                sequence.id(),
                PreemptionKind.RECOMPUTE,
                PreemptionReason.STEP_FAILED));
      }
    }
  }

  private void finish(Sequence sequence, FinishReason reason) {
    record(new SequenceFinished(state.nowNanos(), sequence.id(), reason));
  }

  private void check(InputEvent input) {
    if (!state.started() && !(input instanceof RunStarted)) {
      throw new InputException("the first event must be RunStarted, not " + input);
    }
    if (input.atNanos() < state.nowNanos()) {
      throw new InputException(
          "time goes back from %d to %d ns: %s"
              .formatted(state.nowNanos(), input.atNanos(), input));
    }
    String problem =
        switch (input) {
          case RunStarted started -> {
            if (state.started()) {
              yield "the run has already started";
            }
            yield started.config().equals(config) ? null : "the engine has another configuration";
          }
          case ConfigurationChanged changed -> state.problemOfChange(changed.config());
          case RequestArrived arrived ->
              arrived.request() == state.nextRequest()
                      && arrived.firstSequence() == state.nextSequence()
                      && arrived.samples() <= Integer.MAX_VALUE - state.nextSequence()
                  ? null
                  : "request %d with sequence %d was due, and sequence numbers end at %d"
                      .formatted(state.nextRequest(), state.nextSequence(), Integer.MAX_VALUE);
          case RequestCancelled cancelled ->
              cancelled.request() >= 0 && cancelled.request() < state.nextRequest()
                  ? null
                  : "no such request has arrived";
          case StepCompleted completed -> completionProblem(completed);
          case SequenceFailed failed -> sequenceProblem(failed);
          case StepFailed failed -> stepProblem(failed.device(), failed.step(), Ints.EMPTY);
          case TransferCompleted completed -> transferProblem(completed.transfer());
          case TransferFailed failed -> transferProblem(failed.transfer());
          case PlaceFailed failed -> placeProblem(failed.place(), false);
          case PlaceRestored restored -> placeProblem(restored.place(), true);
        };
    if (problem != null) {
      throw new InputException("%s: %s at position %d".formatted(input, problem, state.events()));
    }
  }

  private @Nullable String completionProblem(StepCompleted completed) {
    String problem = stepProblem(completed.device(), completed.step(), completed.ended());
    if (problem != null || completed.sampledTokens().isEmpty()) {
      return problem;
    }
    int sampled = state.samples(completed.device());
    return completed.sampledTokens().size() == sampled
        ? null
        : "the step samples %d tokens, but there are the ids of %d"
            .formatted(sampled, completed.sampledTokens().size());
  }

  private @Nullable String sequenceProblem(SequenceFailed failed) {
    String problem = stepProblem(failed.device(), failed.step(), Ints.of(failed.sequence()));
    return problem == null && state.sequence(failed.sequence()) == null
        ? "sequence %d has not come to life".formatted(failed.sequence())
        : problem;
  }

  private @Nullable String stepProblem(int device, long step, Ints ended) {
    if (device < 0 || device >= places.size() || !places.get(device).computes()) {
      return "no such device";
    }
    StepPlan plan = state.stepInFlight(device);
    if (plan == null || plan.step() != step) {
      return "step %d is not in flight".formatted(step);
    }
    for (int i = 0; i < ended.size(); i++) {
      if (!sampled(plan, ended.get(i))) {
        return "sequence %d took no token in that step".formatted(ended.get(i));
      }
    }
    return null;
  }

  /// Whether the step samples a token for the sequence: its entry reaches the last known token, or
  /// it is a sample that forks from one that does. Where the step ran ahead of an end or a loss, an
  /// executor may say so too, and it counts for nothing.
  private boolean sampled(StepPlan plan, int id) {
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = state.sequence(plan.sequences().get(i));
      if (sequence != null && id >= sequence.id() && id <= sequence.id() + sequence.unforked()) {
        int end = plan.computedTokens().get(i) + plan.newTokens().get(i);
        return sequence.ending() != null || sequence.lost() || end == sequence.totalTokens();
      }
    }
    return false;
  }

  private @Nullable String placeProblem(int place, boolean failed) {
    if (place < 0 || place >= places.size()) {
      return "no such place";
    }
    if (state.failed(place) == failed) {
      return null;
    }
    return failed ? "that place has not failed" : "that place has failed already";
  }

  private @Nullable String transferProblem(int transfer) {
    return state.transferInFlight(transfer) == null ? "that transfer is not under way" : null;
  }
}
