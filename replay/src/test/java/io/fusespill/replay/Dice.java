package io.fusespill.replay;

import io.fusespill.traces.SeededRandom;

/// Small random choices from a seed.
final class Dice {

  private final SeededRandom random;

  Dice(long seed, String purpose) {
    random = new SeededRandom(seed, purpose);
  }

  /// Uniform over 0 to `bound` - 1.
  int below(int bound) {
    return random.nextInt(0, bound - 1);
  }
}
