package io.fusespill.replay;

import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.policy.Decisions;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.engine.policy.StepDraft;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import io.fusespill.engine.state.SequenceStatus;

/// Makes legal decisions at random: any transfer over any link, in any mode, any preemption, any
/// batch.
///
/// It draws from the log's position, so it keeps nothing and decides the same again in a replay.
/// From `healNanos` on it only does what lets everybody finish.
final class ChaosPolicy implements SchedulingPolicy {

  private final long seed;
  private final long healNanos;

  ChaosPolicy(long seed, long healNanos) {
    this.seed = seed;
    this.healNanos = healNanos;
  }

  @Override
  public Round schedule(EngineView view, int device, Decisions decisions) {
    long position = ((EngineState) view).events();
    Dice dice = new Dice(seed * 31 + position * 1_000_003 + device, "chaos");
    boolean chaos = view.nowNanos() < healNanos;
    if (chaos) {
      for (int i = dice.below(3); i > 0; i--) {
        stir(view, decisions, dice);
      }
    }
    admit(view, device, decisions, chaos ? dice.below(4) : Integer.MAX_VALUE);
    StepDraft draft = decisions.draft(device);
    fill(view, device, draft, chaos ? dice : null);
    if (draft.size() == 0 && view.orderedPlanned(device).isEmpty() && nothingMoves(view)) {
      admit(view, device, decisions, Integer.MAX_VALUE);
      fill(view, device, draft, null);
    }
    if (draft.size() > 0 || !view.orderedPlanned(device).isEmpty()) {
      decisions.start(draft, draft.tokens());
      return Round.SETTLED;
    }
    return nothingMoves(view) && unblock(view, device, decisions) ? Round.AGAIN : Round.SETTLED;
  }

  private static void stir(EngineView view, Decisions decisions, Dice dice) {
    if (view.config().topology().links().isEmpty() || dice.below(5) == 0) {
      preemptAny(view, decisions, dice);
      return;
    }
    int count = view.config().topology().links().size();
    Link link = view.config().topology().links().get(dice.below(count));
    SequenceQueue residents = view.residents(link.from());
    if (residents.isEmpty()) {
      return;
    }
    Sequence sequence = residents.get(dice.below(residents.size()));
    if (sequence.pinned() || sequence.table().size() == 0) {
      return;
    }
    Place source = view.config().topology().place(link.from());
    Place target = view.config().topology().place(link.to());
    TransferMode mode = dice.below(3) == 0 ? TransferMode.ORDERED : TransferMode.ASYNC;
    if (mode == TransferMode.ORDERED) {
      int device = source.computes() ? source.id() : target.id();
      boolean possible =
          source.computes() != target.computes()
              && view.stepInFlight(device) == null
              && view.seatsInto(device) == 0
              && view.config().topology().place(device).computes();
      if (!possible) {
        return;
      }
    } else if (ordersPending(view, link.from()) || ordersPending(view, link.to())) {
      return;
    }
    if (source.computes()) {
      decisions.preempt(
          sequence,
          target.computes() ? PreemptionKind.OFFLOAD : PreemptionKind.SWAP,
          PreemptionReason.OUT_OF_BLOCKS);
    }
    decisions.transfer(link.from(), link.to(), mode, Ints.of(sequence.id()));
  }

  private static boolean ordersPending(EngineView view, int place) {
    EngineState state = (EngineState) view;
    boolean pending = !state.orderedPlanned(place).isEmpty();
    for (int i = 0; i < state.stepsInFlight(place); i++) {
      pending |= !state.orderedInFlight(place, i).isEmpty();
    }
    return pending;
  }

  private static void preemptAny(EngineView view, Decisions decisions, Dice dice) {
    int place = dice.below(view.config().topology().places().size());
    SequenceQueue residents = view.residents(place);
    if (!residents.isEmpty()) {
      Sequence sequence = residents.get(dice.below(residents.size()));
      if (!sequence.pinned()) {
        decisions.preempt(sequence, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
      }
    }
  }

  private static void admit(EngineView view, int device, Decisions decisions, int most) {
    int seats = 0;
    for (int i = 0; i < view.residents(device).size(); i++) {
      seats += view.residents(device).get(i).seats();
    }
    for (int i = 0; i < most && !view.waiting().isEmpty(); i++) {
      Sequence head = view.waiting().get(0);
      seats += head.seats();
      boolean fits = view.config().kv().blocks(head.totalTokens()) <= view.pool(device).free();
      if (seats > view.config().limits().maxNumSeqs() || !fits) {
        return;
      }
      decisions.admit(head, device, view.keptBlocks(head, device, 0));
    }
  }

  private static void fill(EngineView view, int device, StepDraft draft, Dice dice) {
    SequenceQueue running = view.residents(device);
    int seats = view.config().limits().maxNumSeqs();
    for (int i = 0; i < running.size() && draft.size() < seats; i++) {
      Sequence sequence = running.get(i);
      int budget = view.config().limits().maxNumBatchedTokens() - draft.tokens();
      if (sequence.pendingTokens() == 0 || budget == 0 || (dice != null && dice.below(8) == 0)) {
        continue;
      }
      int tokens = Math.min(sequence.pendingTokens(), budget);
      if (dice != null) {
        tokens = 1 + dice.below(tokens);
      }
      if (draft.blocksFor(sequence, tokens) <= draft.free()) {
        draft.add(sequence, tokens);
      }
    }
    int host = view.config().topology().attendingHost(device);
    for (int i = 0; host >= 0 && i < view.residents(host).size() && draft.size() < seats; i++) {
      Sequence sequence = view.residents(host).get(i);
      if ((dice == null || dice.below(2) == 0)
          && draft.tokens() < view.config().limits().maxNumBatchedTokens()
          && draft.canAddRemote(sequence)) {
        draft.addRemote(sequence);
      }
    }
  }

  private static boolean nothingMoves(EngineView view) {
    for (Place place : view.config().topology().places()) {
      if (view.stepInFlight(place.id()) != null || !view.orderedPlanned(place.id()).isEmpty()) {
        return false;
      }
    }
    return view.transfersInFlight() == 0;
  }

  /// Makes room where nobody can go on: gives up the newest here, or else everything that lies in
  /// places without compute, or else a request that can never fit.
  private static boolean unblock(EngineView view, int device, Decisions decisions) {
    SequenceQueue running = view.residents(device);
    if (!running.isEmpty()) {
      giveUp(running.get(running.size() - 1), decisions);
      return true;
    }
    boolean changed = false;
    for (Place place : view.config().topology().places()) {
      SequenceQueue parked = view.residents(place.id());
      while (!place.computes() && !parked.isEmpty()) {
        giveUp(parked.get(parked.size() - 1), decisions);
        changed = true;
      }
    }
    while (!changed && !view.waiting().isEmpty()) {
      Sequence head = view.waiting().get(0);
      if (head.status() != SequenceStatus.WAITING) {
        throw new AssertionError("the head of the waiting queue does not wait");
      }
      int need = view.config().kv().blocks(head.totalTokens());
      if (need <= view.pool(device).total()) {
        return false;
      }
      boolean fitsElsewhere = false;
      for (Place place : view.config().topology().places()) {
        fitsElsewhere |= place.computes() && need <= place.blocks();
      }
      if (fitsElsewhere) {
        return false;
      }
      if (!decisions.draft(device).canReject(view, head.request())) {
        return false;
      }
      decisions.reject(head.request(), RejectionReason.NEVER_FITS, need, view.pool(device).total());
      return true;
    }
    return changed;
  }

  private static void giveUp(Sequence sequence, Decisions decisions) {
    decisions.preempt(sequence, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
  }
}
