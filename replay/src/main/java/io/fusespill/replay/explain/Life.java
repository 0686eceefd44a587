package io.fusespill.replay.explain;

import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One sequence as far as the events that name it tell: where its KV is, how far it came, and what
/// comes of the handlings chosen for it.
///
/// Entries of one sequence land in the order in which they were planned, prefills before decodes,
/// so two counters say what is in flight.
final class Life {

  private static final int NOWHERE = -1;
  private static final long NEVER = -1;

  private final int sequence;
  private final RequestArrived request;
  private final LifeListener listener;
  private final List<ChoiceTrack> choices = new ArrayList<>();
  private Phase phase = Phase.WAITING;
  private int phasePlace = NOWHERE;
  private long phaseNanos;
  private int place = NOWHERE;
  private boolean moving;
  private int prefillsInFlight;
  private int decodesInFlight;
  private int home = NOWHERE;
  private int computedTokens;
  private int totalTokens;
  private int placeholders;

  /// Tokens that it has had, computed or sampled, before any preemption took their KV.
  private int knownTokensMax;

  /// Its end has come, or its KV is lost: what steps in flight do for it counts for nothing.
  private boolean wasted;

  private long firstTokenNanos = NEVER;
  private long lastTokenNanos = NEVER;

  Life(int sequence, RequestArrived request, LifeListener listener) {
    this.sequence = sequence;
    this.request = request;
    this.listener = listener;
    totalTokens = request.promptTokens();
    phaseNanos = request.atNanos();
  }

  int sequence() {
    return sequence;
  }

  RequestArrived request() {
    return request;
  }

  LifeListener listener() {
    return listener;
  }

  List<Choice> choices() {
    return choices.stream().map(ChoiceTrack::choice).toList();
  }

  int outputTokens() {
    return totalTokens - request.promptTokens();
  }

  long firstTokenNanos() {
    return firstTokenNanos;
  }

  long lastTokenNanos() {
    return lastTokenNanos;
  }

  /// Whether its request's other samples have not come to life: it stands for them.
  boolean unforked() {
    return sequence == request.firstSequence() && firstTokenNanos == NEVER;
  }

  /// A sample with the same past.
  Life fork(long now, int sample) {
    Life child = new Life(sample, request, listener.fork());
    child.place = place;
    child.computedTokens = computedTokens;
    child.totalTokens = totalTokens;
    child.knownTokensMax = knownTokensMax;
    child.firstTokenNanos = firstTokenNanos;
    child.lastTokenNanos = lastTokenNanos;
    child.phase = phase;
    child.phasePlace = phasePlace;
    child.phaseNanos = phaseNanos;
    child.turn(now);
    return child;
  }

  void admit(long now, int device, int keptBlocks) {
    place = device;
    turn(now);
    listener.noted(new Moment.Admitted(now, device, keptBlocks));
  }

  void plan(long now, StepPlan plan, int entry) {
    int computed = plan.computedTokens().get(entry);
    int known = totalTokens + placeholders;
    if (computed == known - 1 && known > request.promptTokens()) {
      decodesInFlight++;
    } else {
      prefillsInFlight++;
    }
    placeholders += computed + plan.newTokens().get(entry) == known ? 1 : 0;
    home = plan.home(entry);
    turn(now);
  }

  /// An entry of this sequence is computed.
  ///
  /// @param computed tokens whose KV there was before
  /// @return whether it brought the first output token
  boolean land(long now, int computed, int tokens) {
    boolean prefill = removeFromFlight();
    int before = outputTokens();
    int recomputed = 0;
    if (wasted) {
      listener.stepped(0, 0);
    } else {
      recomputed = prefill ? Math.clamp(knownTokensMax - computed, 0, tokens) : 0;
      computedTokens = computed + tokens;
      knownTokensMax = Math.max(knownTokensMax, computedTokens);
      listener.stepped(tokens, recomputed);
      if (recomputed > 0 && newestChoice() != null) {
        newestChoice().recomputed(recomputed);
      }
      if (computedTokens == totalTokens) {
        sample(now);
      }
    }
    turn(now);
    return before == 0 && outputTokens() == 1;
  }

  private boolean removeFromFlight() {
    boolean prefill = prefillsInFlight > 0;
    if (prefill) {
      prefillsInFlight--;
    } else {
      decodesInFlight--;
    }
    return prefill;
  }

  private void sample(long now) {
    totalTokens++;
    placeholders--;
    knownTokensMax = totalTokens;
    lastTokenNanos = now;
    if (firstTokenNanos == NEVER) {
      firstTokenNanos = now;
      listener.noted(new Moment.FirstToken(now));
    }
    ChoiceTrack choice = newestChoice();
    if (choice != null) {
      choice.token(now, home);
    }
  }

  /// Its newest token ended it.
  void noteEnd() {
    wasted = true;
  }

  /// A step in flight brings it to an end.
  void fail(long now, int device, String cause) {
    if (!wasted) {
      listener.noted(new Moment.Unsampled(now, device, cause));
    }
    wasted = true;
  }

  /// An entry of this sequence came to nothing.
  void lose(long now, int device, String cause) {
    removeFromFlight();
    if (!wasted) {
      listener.noted(new Moment.StepLost(now, device, cause));
    }
    wasted = true;
    turn(now);
  }

  /// Does nothing where its KV lies elsewhere. Steps and transfers there are still to fail.
  void losePlace(long now, int failed, String cause) {
    if (place == failed && !wasted) {
      listener.noted(new Moment.StepLost(now, failed, cause));
      wasted = true;
      turn(now);
    }
  }

  void preempt(SequencePreempted preempted) {
    long now = preempted.atNanos();
    ChoiceTrack choice = newestChoice();
    if (choice != null) {
      choice.preempted(now, preempted.kind());
    }
    if (preempted.kind() == PreemptionKind.RECOMPUTE) {
      place = NOWHERE;
      computedTokens = 0;
      placeholders = 0;
      wasted = false;
    }
    turn(now);
    listener.noted(new Moment.Preempted(now, preempted.kind(), preempted.reason()));
  }

  void planTransfer(long now, TransferPlan plan) {
    if (plan.mode() == TransferMode.ASYNC) {
      moving = true;
    } else {
      place = plan.to();
    }
    ChoiceTrack choice = newestChoice();
    if (choice != null) {
      choice.transferPlanned(now);
    }
    turn(now);
  }

  void completeTransfer(long now, TransferPlan plan, long plannedNanos, boolean computes) {
    moving = false;
    place = plan.to();
    ChoiceTrack choice = newestChoice();
    if (choice != null) {
      choice.arrived(now, place, computes);
    }
    turn(now);
    note(plan, plannedNanos, now, null);
  }

  /// An asynchronous transfer leaves everything as it was; with an ordered one, the KV is lost.
  void failTransfer(long now, TransferPlan plan, long plannedNanos, String cause) {
    moving = false;
    wasted |= plan.mode() == TransferMode.ORDERED;
    ChoiceTrack choice = newestChoice();
    if (choice != null && place == plan.from()) {
      choice.transferFailed(now, place);
    }
    turn(now);
    note(plan, plannedNanos, now, cause);
  }

  private void note(TransferPlan plan, long plannedNanos, long doneNanos, @Nullable String cause) {
    listener.noted(
        new Moment.Moved(
            plannedNanos,
            doneNanos,
            plan.kind(),
            plan.mode(),
            plan.from(),
            plan.to(),
            plan.blocks(),
            cause));
  }

  void choose(long position, HandlingChosen chosen) {
    leavePhase(chosen.atNanos());
    ChoiceTrack before = newestChoice();
    if (before != null) {
      before.chosenAgain(chosen.atNanos());
    }
    ChoiceTrack choice = new ChoiceTrack(position, chosen, outputTokens());
    choices.add(choice);
    listener.chosen(choice);
  }

  void finish(long now, FinishReason reason) {
    end(now, reason == FinishReason.STOP || reason == FinishReason.LENGTH);
    listener.noted(new Moment.Ended(now, reason));
  }

  void reject(RequestRejected rejected) {
    end(rejected.atNanos(), false);
    listener.noted(
        new Moment.Rejected(
            rejected.atNanos(), rejected.reason(), rejected.needed(), rejected.available()));
  }

  /// The log ends before this transfer does.
  void noteUnfinished(TransferPlan plan, long plannedNanos) {
    note(plan, plannedNanos, NEVER, null);
  }

  /// The log ends before it does.
  void breakOff(long now) {
    leavePhase(now);
    listener.closed(now);
  }

  private void end(long now, boolean known) {
    leavePhase(now);
    listener.closed(now);
    choices.forEach(choice -> choice.ended(now, outputTokens(), known));
  }

  private @Nullable ChoiceTrack newestChoice() {
    return choices.isEmpty() ? null : choices.getLast();
  }

  private void turn(long now) {
    Phase next;
    int nextPlace;
    if (prefillsInFlight + decodesInFlight > 0) {
      next = prefillsInFlight > 0 ? Phase.PREFILL : Phase.DECODE;
      nextPlace = home;
    } else if (moving) {
      next = Phase.MOVING;
      nextPlace = NOWHERE;
    } else {
      next = place == NOWHERE ? Phase.WAITING : Phase.RESTING;
      nextPlace = place;
    }
    if (next != phase || nextPlace != phasePlace) {
      leavePhase(now);
      phase = next;
      phasePlace = nextPlace;
      listener.turned(now, next, nextPlace);
    }
  }

  private void leavePhase(long now) {
    ChoiceTrack choice = newestChoice();
    if (choice != null && phase == Phase.DECODE) {
      choice.decoded(phasePlace, now - phaseNanos);
    }
    phaseNanos = now;
  }
}
