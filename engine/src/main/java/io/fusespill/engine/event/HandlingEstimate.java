package io.fusespill.engine.event;

/// What one way to handle a sequence is believed to cost.
///
/// @param place where its KV would go, -1 for nowhere
/// @param lostNanos time that the device loses for others, at least 0
/// @param freeNanos how long the sequence's blocks stay free for others, at least 1
public record HandlingEstimate(Handling handling, int place, long lostNanos, long freeNanos) {

  public HandlingEstimate {
    if (place < -1 || lostNanos < 0 || freeNanos < 1) {
      throw new IllegalArgumentException(
          "%s to place %d loses %d ns and frees blocks for %d ns: at least -1, 0 and 1 are legal"
              .formatted(handling, place, lostNanos, freeNanos));
    }
  }

  /// Whether this costs less for each nanosecond that the blocks stay free; lost time alone decides
  /// between equals.
  public boolean cheaperThan(HandlingEstimate other) {
    int byRate =
        Long.compareUnsigned(
            Math.multiplyHigh(lostNanos, other.freeNanos),
            Math.multiplyHigh(other.lostNanos, freeNanos));
    if (byRate == 0) {
      byRate = Long.compareUnsigned(lostNanos * other.freeNanos, other.lostNanos * freeNanos);
    }
    return byRate != 0 ? byRate < 0 : lostNanos < other.lostNanos;
  }
}
