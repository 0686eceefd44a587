package io.fusespill.sim.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.traces.SeededRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class NonNegativeLeastSquaresTest {

  @Test
  void solve_solutionWithinTheBounds_isThatOfLeastSquares() {
    double[] x = solve(new double[][] {{1, 0}, {1, 1}, {1, 2}, {1, 3}}, 1, 3, 5, 7);

    assertThat(x).containsExactly(new double[] {1, 2}, Offset.offset(1e-9));
  }

  /// A line through falling points: the best that does not fall is their mean.
  @Test
  void solve_coefficientBelow0_isHeldAt0() {
    double[] x = solve(new double[][] {{1, 0}, {1, 1}, {1, 2}}, 9, 6, 3);

    assertThat(x).containsExactly(new double[] {6, 0}, Offset.offset(1e-9));
  }

  @Test
  void solve_sameColumnTwice_countsOnce() {
    double[] x = solve(new double[][] {{1, 1, 0}, {1, 1, 2}, {1, 1, 5}}, 3, 7, 13);

    assertThat(x[0] + x[1]).isCloseTo(3, Offset.offset(1e-6));
    assertThat(x[2]).isCloseTo(2, Offset.offset(1e-6));
  }

  @Test
  void solve_columnOfNothing_is0() {
    assertThat(solve(new double[][] {{2, 0}, {4, 0}}, 6, 12))
        .containsExactly(new double[] {3, 0}, Offset.offset(1e-9));
  }

  /// Karush, Kuhn and Tucker's conditions: no gradient where the coefficient is above 0, and none
  /// that would let one at 0 grow.
  @Test
  void solve_anyProblem_meetsTheConditionsOfTheOptimum() {
    SeededRandom random = new SeededRandom(7, "problems");
    for (int problem = 0; problem < 300; problem++) {
      int columns = random.nextInt(1, 8);
      double[][] a = new double[random.nextInt(columns, 30)][columns];
      double[] b = new double[a.length];
      for (int i = 0; i < a.length; i++) {
        for (int j = 0; j < columns; j++) {
          a[i][j] = random.nextInt(0, 100) - 20;
        }
        b[i] = random.nextInt(0, 1_000) - 300;
      }
      double[][] gram = gram(a);
      double[] moments = moments(a, b);

      double[] x = NonNegativeLeastSquares.solve(gram, moments);

      double tolerance = 1e-6 * (1 + max(moments));
      for (int j = 0; j < columns; j++) {
        double gradient = moments[j];
        for (int k = 0; k < columns; k++) {
          gradient -= gram[j][k] * x[k];
        }
        assertThat(x[j]).as("problem %d", problem).isNotNegative();
        assertThat(gradient).as("problem %d", problem).isLessThan(tolerance);
        if (x[j] > 1e-9) {
          assertThat(gradient).as("problem %d", problem).isGreaterThan(-tolerance);
        }
      }
    }
  }

  private static double[] solve(double[][] a, double... b) {
    return NonNegativeLeastSquares.solve(gram(a), moments(a, b));
  }

  private static double[][] gram(double[][] a) {
    int n = a[0].length;
    double[][] gram = new double[n][n];
    for (double[] row : a) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          gram[i][j] += row[i] * row[j];
        }
      }
    }
    return gram;
  }

  private static double[] moments(double[][] a, double[] b) {
    double[] moments = new double[a[0].length];
    for (int row = 0; row < a.length; row++) {
      for (int i = 0; i < moments.length; i++) {
        moments[i] += a[row][i] * b[row];
      }
    }
    return moments;
  }

  private static double max(double[] values) {
    double max = 0;
    for (double value : values) {
      max = Math.max(max, Math.abs(value));
    }
    return max;
  }
}
