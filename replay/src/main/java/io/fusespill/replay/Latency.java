package io.fusespill.replay;

import org.HdrHistogram.Histogram;

/// A distribution of durations: exact count, mean and maximum, percentiles to three significant
/// digits.
public final class Latency {

  private static final double NANOS_PER_MILLI = 1e6;

  private final Histogram histogram = new Histogram(3);
  private long count;
  private double sumNanos;

  /// Mean so far, and squared distances from it (B. P. Welford, "Note on a Method for Calculating
  /// Corrected Sums of Squares and Products", 1962).
  private double center;

  private double squares;

  void record(long nanos, int times) {
    histogram.recordValueWithCount(nanos, times);
    count += times;
    sumNanos += (double) nanos * times;
    double off = nanos - center;
    center += off * times / count;
    squares += off * (nanos - center) * times;
  }

  public long count() {
    return count;
  }

  /// 0 where nothing was recorded.
  public double meanMillis() {
    return meanNanos() / NANOS_PER_MILLI;
  }

  /// 0 where nothing was recorded.
  public double meanNanos() {
    return count == 0 ? 0 : sumNanos / count;
  }

  /// Standard deviation of all, as NumPy's `std`; 0 where nothing was recorded.
  public double deviationMillis() {
    return count == 0 ? 0 : Math.sqrt(squares / count) / NANOS_PER_MILLI;
  }

  /// The value that `percentile` per cent of all do not exceed; 0 where nothing was recorded.
  public long percentileNanos(double percentile) {
    return count == 0 ? 0 : histogram.getValueAtPercentile(percentile);
  }

  /// The value that `percentile` per cent of all do not exceed; 0 where nothing was recorded.
  public double percentileMillis(double percentile) {
    return percentileNanos(percentile) / NANOS_PER_MILLI;
  }
}
