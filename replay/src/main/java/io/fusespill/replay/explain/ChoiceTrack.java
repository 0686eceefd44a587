package io.fusespill.replay.explain;

import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.replay.explain.Outcome.Fate;
import org.jspecify.annotations.Nullable;

/// What comes of one choice, while it comes.
final class ChoiceTrack {

  private static final long NEVER = -1;

  private final long position;
  private final HandlingChosen chosen;
  private final int outputTokens;
  private Fate fate = Fate.OPEN;
  private @Nullable PreemptionKind carriedOut;
  private long begunNanos = NEVER;
  private long copyBegunNanos = NEVER;
  private long copyNanos = NEVER;
  private long overNanos = NEVER;
  private int elsewhereTokens;
  private long elsewhereNanos;
  private int recomputedTokens;
  private int remainingTokens = -1;
  private boolean remainingKnown;

  ChoiceTrack(long position, HandlingChosen chosen, int outputTokens) {
    this.position = position;
    this.chosen = chosen;
    this.outputTokens = outputTokens;
    if (chosen.choice().handling() == Handling.STAY) {
      fate = Fate.STAYED;
    }
  }

  private boolean open() {
    return fate == Fate.OPEN;
  }

  private boolean begun() {
    return begunNanos != NEVER;
  }

  private void close(long now, Fate how) {
    fate = begun() ? how : Fate.NOT_BEGUN;
    overNanos = now;
  }

  void preempted(long now, PreemptionKind kind) {
    if (open()) {
      begunNanos = begun() ? begunNanos : now;
      carriedOut = kind;
    }
  }

  void transferPlanned(long now) {
    if (open() && begun() && copyBegunNanos == NEVER) {
      copyBegunNanos = now;
    }
  }

  void arrived(long now, int place, boolean computes) {
    if (!open() || copyBegunNanos == NEVER) {
      return;
    }
    boolean target = place == chosen.choice().place();
    if (copyNanos == NEVER || (target && elsewhereTokens == 0 && computes)) {
      copyNanos = now - copyBegunNanos;
    }
    if (computes && !target) {
      close(now, Fate.BACK);
    }
  }

  /// The transfer came to nothing; the sequence is in `place` again.
  void transferFailed(long now, int place) {
    if (open() && place == chosen.device()) {
      close(now, Fate.FAILED);
    }
  }

  void recomputed(int tokens) {
    recomputedTokens += open() && begun() ? tokens : 0;
  }

  void token(long now, int place) {
    if (!open() || !begun()) {
      return;
    }
    if (carriedOut == PreemptionKind.RECOMPUTE) {
      close(now, Fate.BACK);
    } else if (place != chosen.device()) {
      elsewhereTokens++;
    }
  }

  void decoded(int place, long nanos) {
    if (open() && begun() && place != chosen.device()) {
      elsewhereNanos += nanos;
    }
  }

  void chosenAgain(long now) {
    if (open()) {
      close(now, Fate.CHOSEN_AGAIN);
    }
  }

  /// @param known whether the sequence ran to its end
  void ended(long now, int finalOutputTokens, boolean known) {
    if (open()) {
      close(now, Fate.ENDED);
    }
    remainingTokens = finalOutputTokens - outputTokens;
    remainingKnown = known;
  }

  Choice choice() {
    return new Choice(
        position,
        chosen,
        outputTokens,
        new Outcome(
            fate,
            carriedOut,
            begun() ? begunNanos - chosen.atNanos() : NEVER,
            copyNanos,
            begun() && overNanos != NEVER ? overNanos - begunNanos : NEVER,
            elsewhereTokens,
            elsewhereNanos,
            recomputedTokens,
            remainingTokens,
            remainingKnown));
  }
}
