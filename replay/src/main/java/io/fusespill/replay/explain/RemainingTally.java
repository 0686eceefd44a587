package io.fusespill.replay.explain;

/// Remaining tokens as they were believed when handlings were chosen, against what came; only of
/// sequences that ran to their end.
public final class RemainingTally {

  private long choices;
  private long believedTokens;
  private long trueTokens;
  private long errorTokens;

  void add(Choice choice) {
    if (choice.outcome().remainingKnown()) {
      int believed = choice.chosen().remainingTokens();
      int came = choice.outcome().remainingTokens();
      choices++;
      believedTokens += believed;
      trueTokens += came;
      errorTokens += Math.abs(believed - came);
    }
  }

  /// Choices whose sequence ran to its end.
  public long choices() {
    return choices;
  }

  public double meanBelieved() {
    return mean(believedTokens);
  }

  public double meanTrue() {
    return mean(trueTokens);
  }

  /// Mean of believed less true: above 0 where sequences end sooner than believed.
  public double bias() {
    return mean(believedTokens - trueTokens);
  }

  public double meanAbsoluteError() {
    return mean(errorTokens);
  }

  private double mean(long sum) {
    return choices == 0 ? 0 : (double) sum / choices;
  }
}
