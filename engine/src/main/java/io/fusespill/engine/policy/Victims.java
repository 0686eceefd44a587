package io.fusespill.engine.policy;

import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who leaves a device under `fusespill` before its blocks run out, and how each is handled.
final class Victims {

  private static final int WEIGHED = 64;

  private final SpillOptions options;
  private final KvLayout kv;
  private final HandlingWeigher weigher;
  private final SampleGroups groups;
  private final int lookAhead;

  /// @param lookAhead tokens of each decode for which there is to be room
  Victims(
      SpillOptions options,
      KvLayout kv,
      HandlingWeigher weigher,
      SampleGroups groups,
      int lookAhead) {
    this.options = options;
    this.kv = kv;
    this.weigher = weigher;
    this.groups = groups;
    this.lookAhead = lookAhead;
  }

  /// Chooses victims until what the device has free, and what comes free, covers the growth of the
  /// next steps.
  ///
  /// @return whether there was too little
  boolean makeRoom(Scene scene, Decisions decisions) {
    EngineView view = scene.view();
    SequenceQueue running = view.residents(scene.device());
    BlockPool pool = view.pool(scene.device());
    int need = 0;
    int coming = pool.free() + pool.leaving();
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null) {
        need += growth(sequence);
      } else {
        SampleGroup leaving = groups.chosen(view, sequence);
        coming += leaving.newest() == sequence ? leaving.freed() : 0;
      }
    }
    boolean lacking = need > coming;
    while (need > coming) {
      Victim victim = chooseVictim(scene, running);
      if (victim == null) {
        break;
      }
      groups.mark(scene, victim.group(), victim.estimates(), victim.chosen(), decisions);
      if (victim.group().newest().intent() == null) {
        break;
      }
      for (Sequence member : victim.group().members()) {
        need -= growth(member);
      }
      coming += victim.group().freed();
    }
    return lacking;
  }

  private int growth(Sequence sequence) {
    if (sequence.pendingTokens() != 1) {
      return 0;
    }
    return kv.blocks(sequence.plannedComputedTokens() + lookAhead) - sequence.table().size();
  }

  /// One candidate with what was weighed for it: a sequence, or samples that share blocks.
  ///
  /// @param forGood whether it would be swapped and go on elsewhere, slower
  private record Victim(
      SampleGroup group, List<HandlingEstimate> estimates, int chosen, boolean forGood) {

    HandlingEstimate choice() {
      return estimates.get(chosen);
    }

    /// Whether this loses less for each block and nanosecond that it frees. Who leaves for good
    /// takes its own tokens along, one for each step for which its blocks are free: so the largest
    /// loses least.
    boolean cheaperThan(Victim other) {
      if (forGood && other.forGood && group.freed() != other.group.freed()) {
        return group.freed() > other.group.freed();
      }
      double mine = rate();
      double others = other.rate();
      return mine != others ? mine < others : group.newest().id() > other.group.newest().id();
    }

    double rate() {
      return (double) choice().lostNanos() / choice().freeNanos() / Math.max(1, group.freed());
    }
  }

  private @Nullable Victim chooseVictim(Scene scene, SequenceQueue running) {
    Victim settled = chooseVictim(scene, running, true);
    return settled == null ? chooseVictim(scene, running, false) : settled;
  }

  /// The first to go of those that have been where they are for a horizon, or of all.
  private @Nullable Victim chooseVictim(Scene scene, SequenceQueue running, boolean settled) {
    return options.victims() == VictimOrder.COST
        ? cheapest(scene, running, settled)
        : firstByKey(scene, running, settled);
  }

  /// Whether the sequence can be chosen: not one that is marked or about to end.
  private boolean leaves(Scene scene, Sequence sequence, boolean settled) {
    return sequence.intent() == null
        && sequence.pendingTokens() > 0
        && (!settled || weigher.settled(scene, sequence));
  }

  private @Nullable Victim firstByKey(Scene scene, SequenceQueue running, boolean settled) {
    LengthPredictor lengths = scene.view().lengths();
    Sequence best = null;
    long bestKey = 0;
    for (int i = 1; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (leaves(scene, sequence, settled)) {
        long key = options.victims().key(sequence, lengths);
        if (best == null || key > bestKey) {
          best = sequence;
          bestKey = key;
        }
      }
    }
    return best == null ? null : weighed(scene, groups.leaving(scene.view(), scene.device(), best));
  }

  /// The newest of those that lose next to no more than the cheapest: copies are so much cheaper
  /// than what a block is worth meanwhile that their differences decide nothing, but who goes first
  /// and comes back last does.
  private @Nullable Victim cheapest(Scene scene, SequenceQueue running, boolean settled) {
    List<Victim> candidates = new ArrayList<>();
    Victim best = null;
    for (int i = Math.max(1, running.size() - WEIGHED); i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (leaves(scene, sequence, settled)) {
        SampleGroup group = groups.leaving(scene.view(), scene.device(), sequence);
        if (group.newest() != sequence) {
          continue;
        }
        Victim candidate = weighed(scene, group);
        candidates.add(candidate);
        if (best == null || candidate.cheaperThan(best)) {
          best = candidate;
        }
      }
    }
    if (best == null || best.forGood()) {
      return best;
    }
    double blockWorth = 1.0 / scene.view().pool(scene.device()).total();
    double most = best.rate() + blockWorth * options.hysteresisPermille() / 1_000;
    for (Victim candidate : candidates) {
      if (!candidate.forGood()
          && candidate.rate() <= most
          && candidate.group().newest().id() > best.group().newest().id()) {
        best = candidate;
      }
    }
    return best;
  }

  private Victim weighed(Scene scene, SampleGroup group) {
    int remaining = VictimOrder.remaining(group, scene.view().lengths());
    List<HandlingEstimate> estimates = weigher.weigh(scene, group, remaining, true);
    int chosen = 0;
    for (int i = 1; i < estimates.size(); i++) {
      HandlingEstimate estimate = estimates.get(i);
      boolean better =
          switch (options.handling()) {
            case COST ->
                estimate.handling() != Handling.STAY && estimate.cheaperThan(estimates.get(chosen));
            case RECOMPUTE -> estimate.handling() == Handling.RECOMPUTE;
            case SWAP -> estimate.handling() == Handling.SWAP;
          };
      chosen = better ? i : chosen;
    }
    boolean forGood =
        estimates.get(chosen).handling() == Handling.SWAP
            && weigher.goesOnSlower(scene, HandlingWeigher.meanContext(group.oldest(), remaining));
    return new Victim(group, estimates, chosen, forGood);
  }
}
