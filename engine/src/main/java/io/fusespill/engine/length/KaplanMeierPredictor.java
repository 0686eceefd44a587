package io.fusespill.engine.length;

/// Remaining life by the survival curve of the prompt's bucket.
///
/// What has been observed is counted in groups: one by one at first, then whenever it has grown by
/// a thirty-second, at the latest after 256. Between two such moments curves are built at most once
/// each, when they are asked for, and answers do not depend on who asked before.
final class KaplanMeierPredictor implements LengthPredictor {

  private static final int LENGTHS_PER_OCTAVE = 64;
  private static final int GROWTH_SHARE = 32;
  private static final int GROUP_MAX = 256;

  private final PromptBuckets buckets;
  private final Fingerprint fingerprint = new Fingerprint();
  private final int[] prompts = new int[GROUP_MAX];
  private final int[] outputs = new int[GROUP_MAX];
  private final boolean[] cut = new boolean[GROUP_MAX];
  private int waiting;
  private long counted;

  KaplanMeierPredictor(int maxOutputTokens) {
    buckets = new PromptBuckets(new LogBins(LENGTHS_PER_OCTAVE, maxOutputTokens));
  }

  @Override
  public void observe(int promptTokens, int outputTokens, boolean censored) {
    fingerprint.add(promptTokens, outputTokens, censored);
    prompts[waiting] = promptTokens;
    outputs[waiting] = outputTokens;
    cut[waiting] = censored;
    waiting++;
    if (waiting >= Math.clamp(counted / GROWTH_SHARE, 1, GROUP_MAX)) {
      count();
    }
  }

  private void count() {
    for (int i = 0; i < waiting; i++) {
      buckets.add(prompts[i], outputs[i], cut[i]);
    }
    counted += waiting;
    waiting = 0;
    buckets.refresh();
  }

  @Override
  public int expectedRemaining(int promptTokens, int outputTokens, int hint) {
    return buckets.curve(promptTokens).expectedRemaining(outputTokens);
  }

  @Override
  public int quantileRemaining(int promptTokens, int outputTokens, int hint, int permille) {
    return buckets.curve(promptTokens).quantileRemaining(outputTokens, permille);
  }

  @Override
  public long fingerprint() {
    return fingerprint.value();
  }
}
