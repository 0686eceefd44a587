package io.fusespill.traces;

/// A distribution of token counts; as a text the way options spell it.
public sealed interface TokenDistribution {

  int draw(SeededRandom random);

  /// Each count from `min` to `max` as often as any other; the same count always where they are
  /// equal.
  ///
  /// @param min 1 to `max`
  /// @param max `min` to [TraceLimits#MAX_TOKENS]
  record Uniform(int min, int max) implements TokenDistribution {

    public Uniform {
      Check.range("min", min, 1, TraceLimits.MAX_TOKENS);
      Check.range("max", max, 1, TraceLimits.MAX_TOKENS);
      if (min > max) {
        throw new IllegalArgumentException(
            "min is %d, must be at most the max, %d".formatted(min, max));
      }
    }

    @Override
    public String toString() {
      return "uniform:%d:%d".formatted(min, max);
    }

    @Override
    public int draw(SeededRandom random) {
      return random.nextInt(min, max);
    }
  }

  /// Gaussian, rounded, and clipped to 1 and to [TraceLimits#MAX_TOKENS].
  ///
  /// @param mean 1 to [TraceLimits#MAX_TOKENS]
  /// @param deviation 0 to [TraceLimits#MAX_TOKENS]
  record Normal(double mean, double deviation) implements TokenDistribution {

    public Normal {
      Check.range("mean", mean, 1, TraceLimits.MAX_TOKENS);
      Check.range("deviation", deviation, 0, TraceLimits.MAX_TOKENS);
    }

    @Override
    public String toString() {
      return "normal:%s:%s".formatted(mean, deviation);
    }

    @Override
    public int draw(SeededRandom random) {
      double value = mean + deviation * random.nextNormal();
      return Math.clamp(Math.round(value), 1, TraceLimits.MAX_TOKENS);
    }
  }
}
