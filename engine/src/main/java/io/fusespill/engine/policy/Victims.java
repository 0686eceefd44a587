package io.fusespill.engine.policy;

import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.policy.HandlingWeigher.Scene;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who leaves a device under `fusespill` before its blocks run out, and how each is handled.
final class Victims {

  private static final int WEIGHED = 64;

  private final SpillOptions options;
  private final KvLayout kv;
  private final HandlingWeigher weigher;
  private final int lookAhead;

  /// @param lookAhead tokens of each decode for which there is to be room
  Victims(SpillOptions options, KvLayout kv, HandlingWeigher weigher, int lookAhead) {
    this.options = options;
    this.kv = kv;
    this.weigher = weigher;
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
      if (sequence.intent() != null) {
        coming += freed(pool, sequence);
      } else {
        need += growth(sequence);
      }
    }
    boolean lacking = need > coming;
    while (need > coming) {
      Victim victim = chooseVictim(scene, running);
      if (victim == null) {
        break;
      }
      decisions.weigh(
          victim.sequence(),
          scene.device(),
          victim.remaining(),
          victim.estimates(),
          victim.chosen());
      if (victim.sequence().intent() == null) {
        break;
      }
      need -= growth(victim.sequence());
      coming += victim.freed();
    }
    return lacking;
  }

  /// Blocks that are free once the sequence has left: those that no other sample shares.
  private static int freed(BlockPool pool, Sequence sequence) {
    int blocks = sequence.table().size();
    if (sequence.request().samples() == 1) {
      return blocks;
    }
    int shared = 0;
    for (int i = 0; i < blocks; i++) {
      shared += pool.holders(sequence.table().get(i)) > 1 ? 1 : 0;
    }
    return blocks - shared;
  }

  private int growth(Sequence sequence) {
    if (sequence.pendingTokens() != 1) {
      return 0;
    }
    return kv.blocks(sequence.plannedComputedTokens() + lookAhead) - sequence.table().size();
  }

  /// One candidate with what was weighed for it.
  ///
  /// @param freed blocks that it would free
  /// @param forGood whether it would be swapped and go on elsewhere, slower
  private record Victim(
      Sequence sequence,
      int remaining,
      List<HandlingEstimate> estimates,
      int chosen,
      int freed,
      boolean forGood) {

    HandlingEstimate choice() {
      return estimates.get(chosen);
    }

    /// Whether this loses less for each block and nanosecond that it frees. Who leaves for good
    /// takes its own tokens along, one for each step for which its blocks are free: so the largest
    /// loses least.
    boolean cheaperThan(Victim other) {
      if (forGood && other.forGood && freed != other.freed) {
        return freed > other.freed;
      }
      double mine = rate();
      double others = other.rate();
      return mine != others ? mine < others : sequence.id() > other.sequence.id();
    }

    private double rate() {
      return (double) choice().lostNanos() / choice().freeNanos() / Math.max(1, freed);
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

  private @Nullable Victim firstByKey(Scene scene, SequenceQueue running, boolean settled) {
    LengthPredictor lengths = scene.view().lengths();
    Sequence best = null;
    long bestKey = 0;
    for (int i = 1; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null && (!settled || weigher.settled(scene, sequence))) {
        long key = options.victims().key(sequence, lengths);
        if (best == null || key > bestKey) {
          best = sequence;
          bestKey = key;
        }
      }
    }
    return best == null ? null : weighed(scene, best);
  }

  private @Nullable Victim cheapest(Scene scene, SequenceQueue running, boolean settled) {
    Victim best = null;
    for (int i = Math.max(1, running.size() - WEIGHED); i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null
          && sequence.pendingTokens() > 0
          && (!settled || weigher.settled(scene, sequence))) {
        Victim candidate = weighed(scene, sequence);
        if (best == null || candidate.cheaperThan(best)) {
          best = candidate;
        }
      }
    }
    return best;
  }

  private Victim weighed(Scene scene, Sequence sequence) {
    int remaining = VictimOrder.remaining(sequence, scene.view().lengths());
    List<HandlingEstimate> estimates = weigher.weigh(scene, sequence, remaining, true);
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
            && weigher.goesOnSlower(scene, HandlingWeigher.meanContext(sequence, remaining));
    int freed = freed(scene.view().pool(scene.device()), sequence);
    return new Victim(sequence, remaining, estimates, chosen, freed, forGood);
  }
}
