package io.fusespill.engine.length;

/// Bins for whole numbers from 0: of width 1 up to twice `perOctave`, beyond it `perOctave` of
/// equal width in each octave, so that a bin is at most 1/`perOctave` of its values wide.
///
/// With 64 an octave, 400 lies in a bin of 4 and numbers up to 2,048 need 385 bins.
public final class LogBins {

  private final int bits;
  private final int max;

  /// @param perOctave a power of two
  /// @param max the largest number, in the last bin; so is what is larger
  public LogBins(int perOctave, int max) {
    if (Integer.bitCount(perOctave) != 1 || max < 1) {
      throw new IllegalArgumentException(
          "%d bins an octave up to %d: must be a power of two and at least 1"
              .formatted(perOctave, max));
    }
    this.bits = Integer.numberOfTrailingZeros(perOctave);
    this.max = max;
  }

  public int max() {
    return max;
  }

  public int count() {
    return index(max) + 1;
  }

  /// The bin of `value`.
  public int index(int value) {
    int inside = Math.min(value, max);
    int shift = Math.max(0, 31 - Integer.numberOfLeadingZeros(inside | 1) - bits);
    return (shift << bits) + (inside >> shift);
  }

  /// The smallest number in bin `index`.
  public int low(int index) {
    int shift = Math.max(0, (index >> bits) - 1);
    return (index - (shift << bits)) << shift;
  }

  /// The largest number in bin `index`.
  public int high(int index) {
    int shift = Math.max(0, (index >> bits) - 1);
    return Math.min(max, low(index) + (1 << shift) - 1);
  }
}
