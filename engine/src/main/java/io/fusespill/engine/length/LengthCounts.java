package io.fusespill.engine.length;

/// How many sequences of one bucket ended at which output length, and how many were cut off there.
final class LengthCounts {

  private final LogBins bins;
  private final int[] ended;
  private final int[] censored;
  private int total;
  private int endedTotal;
  private long logSum;
  private long logSquareSum;

  LengthCounts(LogBins bins) {
    this.bins = bins;
    this.ended = new int[bins.count()];
    this.censored = new int[bins.count()];
  }

  void add(int outputTokens, boolean cut) {
    int bin = bins.index(outputTokens);
    total++;
    if (cut) {
      censored[bin]++;
      return;
    }
    ended[bin]++;
    endedTotal++;
    long log = log(outputTokens);
    logSum += log;
    logSquareSum += log * log;
  }

  /// The logarithm to base 2 in units of 1/1,024.
  private static long log(int outputTokens) {
    return StrictMath.round(StrictMath.log(1.0 + outputTokens) * (1_024 / StrictMath.log(2)));
  }

  LogBins bins() {
    return bins;
  }

  int ended(int bin) {
    return ended[bin];
  }

  int censored(int bin) {
    return censored[bin];
  }

  int total() {
    return total;
  }

  /// Sequences that were not cut off; the sums are over these.
  int endedTotal() {
    return endedTotal;
  }

  long logSum() {
    return logSum;
  }

  long logSquareSum() {
    return logSquareSum;
  }
}
