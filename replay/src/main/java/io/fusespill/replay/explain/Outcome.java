package io.fusespill.replay.explain;

import io.fusespill.engine.event.PreemptionKind;
import org.jspecify.annotations.Nullable;

/// What came of a chosen handling. What never came is -1.
///
/// @param carriedOut how the sequence was preempted in the end; null where it was not. `RECOMPUTE`
///   where something else was chosen: there was no room any more, or its KV was lost
/// @param begunNanos time from the choice to that preemption
/// @param copyNanos how long its KV was under way to where it was to go
/// @param awayNanos from the preemption until it was back
/// @param elsewhereTokens tokens decoded for it in other places while it was away
/// @param elsewhereNanos time that it spent decoding there
/// @param recomputedTokens tokens computed again before it was back
/// @param remainingTokens output tokens that it produced still, from the choice on
/// @param remainingKnown whether the sequence ran to its end, so that `remainingTokens` is all
public record Outcome(
    Fate fate,
    @Nullable PreemptionKind carriedOut,
    long begunNanos,
    long copyNanos,
    long awayNanos,
    int elsewhereTokens,
    long elsewhereNanos,
    int recomputedTokens,
    int remainingTokens,
    boolean remainingKnown) {

  /// How it went on.
  public enum Fate {
    /// The log ends first.
    OPEN,
    /// Nothing was to be done.
    STAYED,
    /// The sequence ended, or something else was chosen, before it began.
    NOT_BEGUN,
    /// The transfer failed, and it is where it was.
    FAILED,
    /// Another handling was chosen where it had gone.
    CHOSEN_AGAIN,
    /// It ended where it had gone.
    ENDED,
    /// It was back on a device; after a recompute, with a token more.
    BACK
  }
}
