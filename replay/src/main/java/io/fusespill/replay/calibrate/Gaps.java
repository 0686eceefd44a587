package io.fusespill.replay.calibrate;

import java.util.Arrays;

/// Times between two things, and what they usually are.
final class Gaps {

  /// Share at either end that does not count: a machine that was suspended, a clock that jumped.
  private static final int TRIMMED = 100;

  private long[] nanos = new long[64];
  private int count;

  void add(long gapNanos) {
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, 2 * count);
    }
    nanos[count++] = gapNanos;
  }

  int count() {
    return count;
  }

  /// Mean of all but the extremes, at least 0; 0 where there are none.
  double usual() {
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    int from = count / TRIMMED;
    double mean = Arrays.stream(sorted, from, count - from).average().orElse(0);
    return Math.max(0, mean);
  }
}
