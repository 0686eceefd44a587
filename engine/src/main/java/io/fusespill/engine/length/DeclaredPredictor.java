package io.fusespill.engine.length;

/// What the request declares, while that lasts; else what another predictor says.
final class DeclaredPredictor implements LengthPredictor {

  private final int maxOutputTokens;
  private final LengthPredictor undeclared;

  DeclaredPredictor(int maxOutputTokens) {
    this.maxOutputTokens = maxOutputTokens;
    this.undeclared = new KaplanMeierPredictor(maxOutputTokens);
  }

  @Override
  public void observe(int promptTokens, int outputTokens, boolean censored) {
    undeclared.observe(promptTokens, outputTokens, censored);
  }

  @Override
  public int expectedRemaining(int promptTokens, int outputTokens, int hint) {
    int declared = Math.min(hint, maxOutputTokens);
    return declared > outputTokens
        ? declared - outputTokens
        : undeclared.expectedRemaining(promptTokens, outputTokens, 0);
  }

  @Override
  public int quantileRemaining(int promptTokens, int outputTokens, int hint, int permille) {
    int declared = Math.min(hint, maxOutputTokens);
    return declared > outputTokens
        ? declared - outputTokens
        : undeclared.quantileRemaining(promptTokens, outputTokens, 0, permille);
  }

  @Override
  public long fingerprint() {
    return undeclared.fingerprint();
  }
}
