package io.fusespill.replay.timeline;

import java.util.Arrays;

/// Amounts over time, in at most [#BINS] bins of equal width.
///
/// A bin begins a microsecond wide. When time goes beyond the last one, neighbours become one and
/// the width doubles, so memory does not follow the run's length, and the result does not depend on
/// when that happened. From half of [#BINS] on are in use once a run is over.
final class TimeBins {

  /// The most bins there are.
  static final int BINS = 1_024;

  private static final long FIRST_WIDTH_NANOS = 1_000;

  private final Span span;
  private final double[][] sums;
  private final double[][] peaks;
  private long widthNanos = FIRST_WIDTH_NANOS;
  private long endNanos;

  /// @param span what lies outside is left out
  TimeBins(int series, Span span) {
    this.span = span;
    this.sums = new double[series][BINS];
    this.peaks = new double[series][BINS];
    this.endNanos = span.fromNanos();
  }

  /// A level that holds from one time to another: its time integral goes to `sum`, itself to
  /// `peak`.
  void hold(int series, long fromNanos, long untilNanos, double level) {
    long from = Math.max(fromNanos, span.fromNanos());
    long until = Math.min(untilNanos, span.untilNanos());
    if (from >= until) {
      return;
    }
    reach(until);
    long start = from - span.fromNanos();
    long end = until - span.fromNanos();
    for (long at = start; at < end; ) {
      int bin = (int) (at / widthNanos);
      long next = Math.min(end, (bin + 1) * widthNanos);
      sums[series][bin] += level * (next - at);
      peaks[series][bin] = Math.max(peaks[series][bin], level);
      at = next;
    }
  }

  /// Something that happens at a moment.
  void count(int series, long atNanos, double amount) {
    if (span.contains(atNanos)) {
      reach(atNanos + 1);
      sums[series][(int) ((atNanos - span.fromNanos()) / widthNanos)] += amount;
    }
  }

  /// Makes room until `untilNanos`, and notes that the run has come so far.
  void reach(long untilNanos) {
    long until = Math.min(untilNanos, span.untilNanos());
    if (until > endNanos) {
      endNanos = until;
      while (until - span.fromNanos() > BINS * widthNanos) {
        halve();
      }
    }
  }

  private void halve() {
    for (int series = 0; series < sums.length; series++) {
      double[] sum = sums[series];
      double[] peak = peaks[series];
      for (int bin = 0; bin < BINS / 2; bin++) {
        sum[bin] = sum[2 * bin] + sum[2 * bin + 1];
        peak[bin] = Math.max(peak[2 * bin], peak[2 * bin + 1]);
      }
      Arrays.fill(sum, BINS / 2, BINS, 0);
      Arrays.fill(peak, BINS / 2, BINS, 0);
    }
    widthNanos *= 2;
  }

  /// Bins in use.
  int bins() {
    return (int) ((endNanos - span.fromNanos() + widthNanos - 1) / widthNanos);
  }

  long binFromNanos(int bin) {
    return span.fromNanos() + bin * widthNanos;
  }

  long binUntilNanos(int bin) {
    return Math.min(endNanos, span.fromNanos() + (bin + 1) * widthNanos);
  }

  /// Integral over time of the levels, or sum of the counts.
  double sum(int series, int bin) {
    return sums[series][bin];
  }

  /// Mean level over the bin's time.
  double mean(int series, int bin) {
    return sums[series][bin] / (binUntilNanos(bin) - binFromNanos(bin));
  }

  /// Highest level that held for any time in the bin.
  double peak(int series, int bin) {
    return peaks[series][bin];
  }
}
