package io.fusespill.sim.calibrate;

import java.util.Arrays;

/// Least squares of relative errors with coefficients of at least 0, robust to outliers: a
/// measurement beyond what most are off by counts in proportion to its error, not to the square of
/// it (Huber's weights, by reweighting again and again).
///
/// Then all coefficients are stretched alike so that the sum of what is predicted is the sum of
/// what was measured, where hiccups count with at most [#HICCUP] times the prediction: a run's
/// throughput is made of sums, and what slows one step in a hundred slows the run.
final class Regression {

  /// Beyond this multiple of the usual error a measurement counts less.
  private static final double HUBER = 1.345;

  /// Standard deviation of a normal distribution over its median absolute deviation.
  private static final double DEVIATION = 1.4826;

  private static final double USUAL_ERROR_MIN = 1e-5;
  private static final double HICCUP = 3;
  private static final int ROUNDS = 10;

  private final int columns;
  private final int[][] indices;
  private final double[][] values;
  private final double[] y;
  private final double[] beside;

  /// @param indices columns of each row that are not 0
  /// @param values what they are
  /// @param y measurements, above 0
  Regression(int columns, int[][] indices, double[][] values, double[] y) {
    this(columns, indices, values, y, new double[y.length]);
  }

  /// A fit of a part, whose errors are relative to the whole.
  ///
  /// @param beside what is not part of the measurement, but of the whole that counts
  Regression(int columns, int[][] indices, double[][] values, double[] y, double[] beside) {
    this.columns = columns;
    this.indices = indices;
    this.values = values;
    this.y = y;
    this.beside = beside;
  }

  int rows() {
    return y.length;
  }

  double measured(int row) {
    return y[row];
  }

  double predict(int row, double[] coefficients) {
    int[] index = indices[row];
    double[] value = values[row];
    double sum = 0;
    for (int i = 0; i < index.length; i++) {
      sum += value[i] * coefficients[index[i]];
    }
    return sum;
  }

  /// The coefficients of a robust fit.
  ///
  /// @param rows which rows it sees; at least one
  double[] fit(int[] rows) {
    double[] weights = new double[y.length];
    for (int row : rows) {
      double whole = y[row] + beside[row];
      weights[row] = 1 / (whole * whole);
    }
    double[] coefficients = solve(rows, weights);
    for (int round = 0; round < ROUNDS; round++) {
      reweigh(rows, coefficients, weights);
      coefficients = solve(rows, weights);
    }
    return stretched(rows, coefficients);
  }

  /// Weights that a robust fit with these coefficients gives to each row.
  double[] weights(int[] rows, double[] coefficients) {
    double[] weights = new double[y.length];
    reweigh(rows, coefficients, weights);
    return weights;
  }

  private void reweigh(int[] rows, double[] coefficients, double[] weights) {
    double[] errors = new double[rows.length];
    for (int i = 0; i < rows.length; i++) {
      errors[i] = Math.abs(relativeError(rows[i], coefficients));
    }
    double[] sorted = errors.clone();
    Arrays.sort(sorted);
    double usual = Math.max(USUAL_ERROR_MIN, DEVIATION * sorted[sorted.length / 2]);
    for (int i = 0; i < rows.length; i++) {
      double scale = scale(rows[i], coefficients);
      double huber = errors[i] <= HUBER * usual ? 1 : HUBER * usual / errors[i];
      weights[rows[i]] = huber / (scale * scale);
    }
  }

  /// What a row's error is relative to: the prediction, which has no noise, unless it is far below
  /// what was measured.
  private double scale(int row, double[] coefficients) {
    return Math.max(predict(row, coefficients), y[row] / HICCUP) + beside[row];
  }

  private double relativeError(int row, double[] coefficients) {
    return (y[row] - predict(row, coefficients)) / scale(row, coefficients);
  }

  private double[] stretched(int[] rows, double[] coefficients) {
    double predicted = 0;
    double measured = 0;
    for (int row : rows) {
      double prediction = predict(row, coefficients);
      predicted += prediction;
      measured += prediction > 0 ? Math.min(y[row], HICCUP * prediction) : 0;
    }
    double[] stretched = coefficients.clone();
    for (int i = 0; i < stretched.length && predicted > 0; i++) {
      stretched[i] *= measured / predicted;
    }
    return stretched;
  }

  /// The coefficients for weights that are given.
  ///
  /// @param rows which rows it sees; at least one
  double[] solve(int[] rows, double[] weights) {
    Normal normal = new Normal(columns);
    for (int row : rows) {
      normal.add(indices[row], values[row], y[row], weights[row]);
    }
    return normal.solve();
  }

  /// The coefficients without each fold, for weights that are given: quick, to compare models.
  ///
  /// @param fold of each row
  double[][] solveWithout(int[] fold, int folds, double[] weights) {
    Normal[] parts = new Normal[folds];
    Arrays.setAll(parts, each -> new Normal(columns));
    for (int row = 0; row < y.length; row++) {
      parts[fold[row]].add(indices[row], values[row], y[row], weights[row]);
    }
    Normal all = new Normal(columns);
    for (Normal part : parts) {
      all.add(part, 1);
    }
    double[][] solved = new double[folds][];
    for (int each = 0; each < folds; each++) {
      Normal rest = new Normal(columns);
      rest.add(all, 1);
      rest.add(parts[each], -1);
      solved[each] = rest.solve();
    }
    return solved;
  }

  /// Normal equations.
  private static final class Normal {
    final double[][] gram;
    final double[] moments;

    Normal(int columns) {
      gram = new double[columns][columns];
      moments = new double[columns];
    }

    void add(int[] index, double[] value, double y, double weight) {
      for (int i = 0; i < index.length; i++) {
        double weighted = weight * value[i];
        moments[index[i]] += weighted * y;
        double[] row = gram[index[i]];
        for (int j = 0; j < index.length; j++) {
          row[index[j]] += weighted * value[j];
        }
      }
    }

    void add(Normal other, double factor) {
      for (int i = 0; i < moments.length; i++) {
        moments[i] += factor * other.moments[i];
        for (int j = 0; j < moments.length; j++) {
          gram[i][j] += factor * other.gram[i][j];
        }
      }
    }

    double[] solve() {
      return NonNegativeLeastSquares.solve(gram, moments);
    }
  }
}
