package io.fusespill.engine.metrics;

/// What was predicted for some sequences of one step, until it is known what came.
final class BatchSample {

  private final int[] generated;
  private final int[] means;
  private final int[][] quantiles;

  /// Tokens that came, 0 while that is open.
  private final int[] remaining;

  BatchSample(int sequences) {
    generated = new int[sequences];
    means = new int[sequences];
    quantiles = new int[sequences][];
    remaining = new int[sequences];
  }

  /// @param levels the predicted quantiles, kept as they are
  void predict(int slot, int outputTokens, int mean, int[] levels) {
    generated[slot] = outputTokens;
    means[slot] = mean;
    quantiles[slot] = levels;
  }

  /// The slot's sequence has ended with so many tokens: counts it, and its pairs with those of this
  /// step that ended before.
  void resolve(int slot, int outputTokens, PredictionTally tally) {
    int came = outputTokens - generated[slot];
    for (int other = 0; other < remaining.length; other++) {
      if (remaining[other] > 0) {
        tally.pair(
            means[slot] - means[other],
            quantiles[slot][0] - quantiles[other][0],
            came - remaining[other]);
      }
    }
    remaining[slot] = came;
    tally.moment(generated[slot], means[slot], quantiles[slot], came);
  }
}
