package io.fusespill.engine.length;

/// The mean length of all that ended, whatever a sequence has produced: all sequences look alike,
/// so that ordering by it carries no information. Those cut off do not count.
final class SameForAllPredictor extends PointPredictor {

  private long tokens;
  private long sequences;

  SameForAllPredictor(int maxOutputTokens) {
    super(maxOutputTokens);
    tokens = new KaplanMeierPredictor(maxOutputTokens).expectedRemaining(1, 0, 0);
    sequences = 1;
  }

  @Override
  public void observe(int promptTokens, int outputTokens, boolean censored) {
    super.observe(promptTokens, outputTokens, censored);
    if (!censored) {
      tokens += outputTokens;
      sequences++;
    }
  }

  @Override
  int remaining(int outputTokens, int hint) {
    return (int) (tokens / sequences);
  }

  @Override
  public int expectedRemaining(int promptTokens, int outputTokens, int hint) {
    return super.expectedRemaining(promptTokens, 0, hint);
  }
}
