package io.fusespill.replay.timeline;

import java.util.ArrayList;
import java.util.List;

/// Predictions against what came: exact errors over all, and as many pairs as fit in memory.
///
/// Kept is every pair, then every second one, then every fourth, so that those kept are spread
/// evenly over all.
public final class Pairs {

  /// The most pairs that are kept.
  public static final int PAIRS_MAX = 4_096;

  private final List<Pair> kept = new ArrayList<>();
  private long stride = 1;
  private long count;
  private double errorSum;
  private double relativeSum;
  private double excessSum;
  private double actualSum;
  private long withinTenth;
  private long withinDouble;

  /// @param actual above 0
  void add(double predicted, double actual) {
    if (count % stride == 0) {
      if (kept.size() == PAIRS_MAX) {
        thin();
      }
      if (count % stride == 0) {
        kept.add(new Pair(predicted, actual));
      }
    }
    count++;
    double error = predicted - actual;
    errorSum += Math.abs(error);
    relativeSum += Math.abs(error) / actual;
    excessSum += error;
    actualSum += actual;
    withinTenth += Math.abs(error) <= actual / 10 ? 1 : 0;
    withinDouble += predicted <= 2 * actual && actual <= 2 * predicted ? 1 : 0;
  }

  private void thin() {
    List<Pair> half = new ArrayList<>();
    for (int i = 0; i < kept.size(); i += 2) {
      half.add(kept.get(i));
    }
    kept.clear();
    kept.addAll(half);
    stride *= 2;
  }

  /// Up to [#PAIRS_MAX] pairs, in the order in which they came.
  public List<Pair> kept() {
    return List.copyOf(kept);
  }

  /// All pairs, kept or not.
  public long count() {
    return count;
  }

  /// Mean of |predicted − actual|; 0 where there are none.
  public double meanError() {
    return count == 0 ? 0 : errorSum / count;
  }

  /// Mean of |predicted − actual| / actual.
  public double meanRelativeError() {
    return count == 0 ? 0 : relativeSum / count;
  }

  /// Sum of predicted over sum of actual, less 1: above 0, too much was predicted.
  public double bias() {
    return actualSum == 0 ? 0 : excessSum / actualSum;
  }

  /// Share of pairs with an error of at most a tenth of what came.
  public double withinTenth() {
    return count == 0 ? 0 : (double) withinTenth / count;
  }

  /// Share of pairs of which neither is more than twice the other.
  public double withinDouble() {
    return count == 0 ? 0 : (double) withinDouble / count;
  }
}
