package io.fusespill.engine.length;

/// Ended sequences from a seed: prompts of 1 to 8,192 tokens, outputs longer for longer prompts,
/// each tenth cut off.
final class Histories {

  private long state;

  Histories(long seed) {
    state = seed;
  }

  int below(int bound) {
    state = state * 6_364_136_223_846_793_005L + 1_442_695_040_888_963_407L;
    return (int) ((state >>> 33) % bound);
  }

  void feed(LengthPredictor predictor, int sequences) {
    for (int i = 0; i < sequences; i++) {
      int prompt = 1 + below(1 << (1 + below(13)));
      predictor.observe(prompt, 1 + below(20 + prompt / 8), below(10) == 0);
    }
  }
}
