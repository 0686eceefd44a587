package io.fusespill.host.checkpoint;

import io.fusespill.host.kernel.Convert;
import java.util.Arrays;

/// Angular frequencies of the rotary position embedding: dimension `i` of a head and dimension `i +
/// headDim / 2` turn together by `position * frequency(i)`.
public final class RopeFrequencies {

  private static final double TURN = 2 * Math.PI;

  private final double[] frequencies;

  private RopeFrequencies(double[] frequencies) {
    this.frequencies = frequencies;
  }

  /// `theta^(-2i / headDim)`.
  public static RopeFrequencies of(double theta, int headDim) {
    double[] frequencies = new double[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = StrictMath.pow(theta, -2.0 * i / headDim);
    }
    return new RopeFrequencies(frequencies);
  }

  /// These divided by `factor`: positions are interpolated (`rope_type` linear).
  public RopeFrequencies linear(double factor) {
    return new RopeFrequencies(Arrays.stream(frequencies).map(f -> f / factor).toArray());
  }

  /// These as Llama 3.1 stretches them (`rope_type` llama3): long wavelengths divided by `factor`,
  /// short ones as they are, those between blended.
  ///
  /// @param originalPositions context length before the stretch, in tokens
  public RopeFrequencies llama3(
      double factor, double lowFactor, double highFactor, int originalPositions) {
    double[] stretched = new double[frequencies.length];
    for (int i = 0; i < stretched.length; i++) {
      double frequency = frequencies[i];
      double turns = originalPositions * frequency / TURN;
      if (turns > highFactor) {
        stretched[i] = frequency;
      } else if (turns < lowFactor) {
        stretched[i] = frequency / factor;
      } else {
        double smooth = (turns - lowFactor) / (highFactor - lowFactor);
        stretched[i] = (1 - smooth) * frequency / factor + smooth * frequency;
      }
    }
    return new RopeFrequencies(stretched);
  }

  /// These as numbers of `type`, as a model has them whose buffers were converted along with its
  /// weights.
  public RopeFrequencies rounded(ElementType type) {
    return new RopeFrequencies(
        Arrays.stream(frequencies).map(f -> Convert.round(type, (float) f)).toArray());
  }

  /// Half of a head's width.
  public int pairs() {
    return frequencies.length;
  }

  /// Radians a position, for `pair` from 0 to [#pairs] - 1.
  public double frequency(int pair) {
    return frequencies[pair];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RopeFrequencies rope && Arrays.equals(frequencies, rope.frequencies);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(frequencies);
  }
}
