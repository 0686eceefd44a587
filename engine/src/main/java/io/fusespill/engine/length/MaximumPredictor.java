package io.fusespill.engine.length;

/// The pessimist: every sequence goes on to the maximum.
final class MaximumPredictor extends PointPredictor {

  MaximumPredictor(int maxOutputTokens) {
    super(maxOutputTokens);
  }

  @Override
  int remaining(int outputTokens, int hint) {
    return maxOutputTokens() - outputTokens;
  }
}
