package io.fusespill.engine.length;

/// A predictor that names one number of tokens: the mean and every quantile are the same.
abstract class PointPredictor implements LengthPredictor {

  private final int maxOutputTokens;
  private final Fingerprint fingerprint = new Fingerprint();

  PointPredictor(int maxOutputTokens) {
    this.maxOutputTokens = maxOutputTokens;
  }

  /// Tokens to come; what is outside 1 to the maximum is moved to its bound.
  abstract int remaining(int outputTokens, int hint);

  final int maxOutputTokens() {
    return maxOutputTokens;
  }

  @Override
  public void observe(int promptTokens, int outputTokens, boolean censored) {
    fingerprint.add(promptTokens, outputTokens, censored);
  }

  @Override
  public int expectedRemaining(int promptTokens, int outputTokens, int hint) {
    int most = Math.max(1, maxOutputTokens - outputTokens);
    return Math.clamp(remaining(outputTokens, hint), 1, most);
  }

  @Override
  public int quantileRemaining(int promptTokens, int outputTokens, int hint, int permille) {
    return expectedRemaining(promptTokens, outputTokens, hint);
  }

  @Override
  public final long fingerprint() {
    return fingerprint.value();
  }
}
