package io.fusespill.engine.length;

/// Every sequence will be as long as the one that ended last; those cut off do not count.
final class LastValuePredictor extends PointPredictor {

  private int last;

  LastValuePredictor(int maxOutputTokens) {
    super(maxOutputTokens);
    last = new KaplanMeierPredictor(maxOutputTokens).medianRemaining(1, 0, 0);
  }

  @Override
  public void observe(int promptTokens, int outputTokens, boolean censored) {
    super.observe(promptTokens, outputTokens, censored);
    if (!censored) {
      last = outputTokens;
    }
  }

  @Override
  int remaining(int outputTokens, int hint) {
    return last - outputTokens;
  }
}
