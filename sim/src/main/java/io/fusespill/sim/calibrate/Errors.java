package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FitErrors;
import java.util.Arrays;

/// Collects predictions and what was measured.
final class Errors {

  private static final double PERCENT = 100;
  private static final double P90 = 0.9;

  private double[] relative = new double[64];
  private int count;
  private double sum;
  private double predicted;
  private double measured;

  /// @param measured above 0
  void add(double predicted, double measured) {
    if (count == relative.length) {
      relative = Arrays.copyOf(relative, 2 * count);
    }
    double error = Math.abs(predicted - measured) / measured;
    relative[count++] = error;
    sum += error;
    this.predicted += predicted;
    this.measured += measured;
  }

  int count() {
    return count;
  }

  /// There is at least one.
  FitErrors toFitErrors() {
    double[] sorted = Arrays.copyOf(relative, count);
    Arrays.sort(sorted);
    return new FitErrors(
        count,
        PERCENT * sum / count,
        PERCENT * sorted[(int) StrictMath.ceil(P90 * count) - 1],
        PERCENT * sorted[count - 1],
        PERCENT * (predicted / measured - 1));
  }
}
