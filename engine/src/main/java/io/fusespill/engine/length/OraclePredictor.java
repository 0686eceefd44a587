package io.fusespill.engine.length;

/// Knows the truth, which it takes from the hint: no scheduler can do better by lengths.
final class OraclePredictor extends PointPredictor {

  OraclePredictor(int maxOutputTokens) {
    super(maxOutputTokens);
  }

  @Override
  int remaining(int outputTokens, int hint) {
    if (hint < 1) {
      throw new IllegalArgumentException(
          "the oracle is asked with hint %d; it needs the true output length, at least 1"
              .formatted(hint));
    }
    return hint - outputTokens;
  }
}
