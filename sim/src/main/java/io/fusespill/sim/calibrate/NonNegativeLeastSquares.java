package io.fusespill.sim.calibrate;

import java.util.Arrays;

/// Least squares whose coefficients are at least 0, from the normal equations (Lawson, Hanson:
/// "Solving Least Squares Problems", 1974, chapter 23).
///
/// A feature of a step cannot make it faster, so a coefficient below 0 would only tell of noise, or
/// of two features that always grow together; such a one is left out.
final class NonNegativeLeastSquares {

  /// A gradient below this share of the largest is none.
  private static final double TOLERANCE = 1e-10;

  /// A pivot below this share of its column is a feature that others say already.
  private static final double SINGULAR = 1e-9;

  private NonNegativeLeastSquares() {}

  /// The x ≥ 0 for which |A·x − b| is least.
  ///
  /// @param gram Aᵀ·A, symmetric
  /// @param moments Aᵀ·b
  static double[] solve(double[][] gram, double[] moments) {
    int n = moments.length;
    double[] scale = new double[n];
    for (int i = 0; i < n; i++) {
      scale[i] = gram[i][i] > 0 ? 1 / Math.sqrt(gram[i][i]) : 0;
    }
    double[][] a = new double[n][n];
    double[] b = new double[n];
    double largest = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        a[i][j] = gram[i][j] * scale[i] * scale[j];
      }
      b[i] = moments[i] * scale[i];
      largest = Math.max(largest, Math.abs(b[i]));
    }
    double[] x = solveScaled(a, b, largest * TOLERANCE);
    for (int i = 0; i < n; i++) {
      x[i] *= scale[i];
    }
    return x;
  }

  private static double[] solveScaled(double[][] a, double[] b, double tolerance) {
    int n = b.length;
    double[] x = new double[n];
    boolean[] passive = new boolean[n];
    boolean[] barred = new boolean[n];
    for (int round = 0; round < 3 * n; round++) {
      int best = steepest(a, b, x, passive, barred, tolerance);
      if (best < 0) {
        break;
      }
      passive[best] = true;
      double[] candidate = solvePassive(a, b, passive);
      if (candidate.length == 0 || candidate[best] <= 0) {
        passive[best] = false;
        barred[best] = true;
        continue;
      }
      Arrays.fill(barred, false);
      x = towards(a, b, x, candidate, passive);
    }
    return x;
  }

  /// The coefficient at 0 whose growth would help most, or -1.
  private static int steepest(
      double[][] a, double[] b, double[] x, boolean[] passive, boolean[] barred, double tolerance) {
    int best = -1;
    double steepest = tolerance;
    for (int i = 0; i < b.length; i++) {
      if (!passive[i] && !barred[i] && a[i][i] > 0) {
        double gradient = b[i];
        for (int j = 0; j < b.length; j++) {
          gradient -= a[i][j] * x[j];
        }
        if (gradient > steepest) {
          steepest = gradient;
          best = i;
        }
      }
    }
    return best;
  }

  /// Goes from x to the candidate, and where a coefficient would pass 0 on the way, leaves it there
  /// and solves for the others again.
  private static double[] towards(
      double[][] a, double[] b, double[] from, double[] to, boolean[] passive) {
    double[] x = from;
    double[] candidate = to;
    while (true) {
      double step = 1;
      for (int i = 0; i < x.length; i++) {
        if (passive[i] && candidate[i] <= 0) {
          step = Math.min(step, x[i] / (x[i] - candidate[i]));
        }
      }
      double[] moved = new double[x.length];
      boolean dropped = false;
      for (int i = 0; i < x.length; i++) {
        moved[i] = x[i] + step * (candidate[i] - x[i]);
        if (passive[i] && candidate[i] <= 0 && moved[i] <= 1e-12) {
          moved[i] = 0;
          passive[i] = false;
          dropped = true;
        }
      }
      if (!dropped) {
        return candidate;
      }
      x = moved;
      candidate = solvePassive(a, b, passive);
      if (candidate.length == 0) {
        return x;
      }
    }
  }

  /// Solves for the coefficients that are not held at 0, by Cholesky; empty where these say the
  /// same twice.
  private static double[] solvePassive(double[][] a, double[] b, boolean[] passive) {
    int[] index = new int[b.length];
    int n = 0;
    for (int i = 0; i < b.length; i++) {
      if (passive[i]) {
        index[n++] = i;
      }
    }
    double[][] l = new double[n][n];
    double[] y = new double[n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = a[index[i]][index[j]];
        for (int k = 0; k < j; k++) {
          sum -= l[i][k] * l[j][k];
        }
        if (i == j && sum < SINGULAR) {
          return new double[0];
        }
        l[i][j] = i == j ? Math.sqrt(sum) : sum / l[j][j];
      }
      double sum = b[index[i]];
      for (int k = 0; k < i; k++) {
        sum -= l[i][k] * y[k];
      }
      y[i] = sum / l[i][i];
    }
    double[] x = new double[b.length];
    for (int i = n - 1; i >= 0; i--) {
      double sum = y[i];
      for (int k = i + 1; k < n; k++) {
        sum -= l[k][i] * x[index[k]];
      }
      x[index[i]] = sum / l[i][i];
    }
    return x;
  }
}
