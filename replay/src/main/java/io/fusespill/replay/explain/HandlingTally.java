package io.fusespill.replay.explain;

import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.replay.explain.Outcome.Fate;

/// All choices of one handling, summed up: what was believed and what came true.
public final class HandlingTally {

  private final Handling handling;
  private long choices;
  private long begun;
  private long recomputedInstead;
  private long lostNanos;
  private long freeNanos;
  private long copies;
  private long copyNanos;
  private long aways;
  private long awayNanos;
  private long endedAway;
  private long elsewhereTokens;
  private long elsewhereNanos;
  private long recomputedTokens;

  HandlingTally(Handling handling) {
    this.handling = handling;
  }

  void add(Choice choice) {
    HandlingEstimate believed = choice.chosen().choice();
    Outcome outcome = choice.outcome();
    choices++;
    lostNanos += believed.lostNanos();
    freeNanos += believed.freeNanos();
    if (outcome.carriedOut() != null) {
      begun++;
      recomputedInstead +=
          outcome.carriedOut() == PreemptionKind.RECOMPUTE && handling != Handling.RECOMPUTE
              ? 1
              : 0;
    }
    if (outcome.copyNanos() >= 0) {
      copies++;
      copyNanos += outcome.copyNanos();
    }
    if (outcome.awayNanos() >= 0) {
      aways++;
      awayNanos += outcome.awayNanos();
    }
    endedAway += outcome.fate() == Fate.ENDED ? 1 : 0;
    elsewhereTokens += outcome.elsewhereTokens();
    elsewhereNanos += outcome.elsewhereNanos();
    recomputedTokens += outcome.recomputedTokens();
  }

  public Handling handling() {
    return handling;
  }

  /// How often it was chosen.
  public long choices() {
    return choices;
  }

  /// How often the sequence was preempted for it.
  public long begun() {
    return begun;
  }

  /// How often it came to a recompute although something else was chosen.
  public long recomputedInstead() {
    return recomputedInstead;
  }

  /// Estimated time that the devices lose for others.
  public long lostNanos() {
    return lostNanos;
  }

  /// Estimated time for which blocks stay free, per choice.
  public double meanFreeNanos() {
    return mean(freeNanos, choices);
  }

  /// How long the KV was under way to where it was to go, per copy.
  public double meanCopyNanos() {
    return mean(copyNanos, copies);
  }

  /// How long sequences really were away, per choice that was over when the log ended.
  public double meanAwayNanos() {
    return mean(awayNanos, aways);
  }

  /// How often the sequence ended where it had gone.
  public long endedAway() {
    return endedAway;
  }

  /// Tokens that other places decoded meanwhile.
  public long elsewhereTokens() {
    return elsewhereTokens;
  }

  /// Time per token that they took for a sequence; 0 of none.
  public double elsewherePaceNanos() {
    return mean(elsewhereNanos, elsewhereTokens);
  }

  /// Tokens computed again before sequences were back.
  public long recomputedTokens() {
    return recomputedTokens;
  }

  private static double mean(long sum, long count) {
    return count == 0 ? 0 : (double) sum / count;
  }
}
