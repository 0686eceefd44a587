package io.fusespill.host.sampling;

/// `e^x` in float32 for probabilities: the same bits on every machine, simple enough for the
/// compiler to vectorise.
///
/// Polynomial of Cephes' `expf` (Moshier); relative error below 2e-7.
final class Exponential {

  /// The least argument that is told from it: a float32 softmax is about 0 there.
  static final float LEAST = -87;

  private static final float LOG2_E = 1.442695f;
  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -2.1219444e-4f;

  private Exponential() {}

  /// @param x at most 0; less than [#LEAST] counts as that
  static float exp(float x) {
    float clamped = Math.max(x, LEAST);
    int n = (int) (clamped * LOG2_E - 0.5f);
    float r = clamped - n * LN2_HIGH - n * LN2_LOW;
    float y = 1.9875691e-4f;
    y = y * r + 1.3981999e-3f;
    y = y * r + 8.333452e-3f;
    y = y * r + 4.1665796e-2f;
    y = y * r + 1.6666666e-1f;
    y = y * r + 0.5f;
    y = y * r * r + r + 1;
    return y * Float.intBitsToFloat((n + 127) << 23);
  }

  /// `weights[i] = e^((logits[offset + i] - max) * scale)`.
  static void weigh(float[] logits, int offset, float max, float scale, float[] weights) {
    for (int i = 0; i < weights.length; i++) {
      weights[i] = exp((logits[offset + i] - max) * scale);
    }
  }
}
