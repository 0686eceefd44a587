package io.fusespill.learn;

import io.fusespill.traces.SeededRandom;
import java.util.Arrays;

/// Fits trees one after the other, each to what those before left over, on a part of the requests
/// and a part of the features drawn anew (J. H. Friedman, "Stochastic gradient boosting",
/// Computational Statistics & Data Analysis 38(4), 2002, with squared error; T. K. Ho, "The random
/// subspace method for constructing decision forests", IEEE TPAMI 20(8), 1998).
final class Booster {

  private static final double SHRINKAGE = 0.1;

  /// Requests that one tree sees at most, so that a tree's time has a bound.
  private static final int ROWS_MAX = 4_096;

  private final double[][] features;
  private final SeededRandom random;
  private final TreeFitter fitter;
  private final double base;
  private final double[] left;
  private final int[] rows;
  private final int[] columns;

  Booster(double[][] features, double[] targets, SeededRandom random) {
    this.features = features;
    this.random = random;
    fitter = new TreeFitter(features);
    base = Arrays.stream(targets).average().orElseThrow();
    left = Arrays.stream(targets).map(target -> target - base).toArray();
    rows = new int[targets.length];
    Arrays.setAll(rows, i -> i);
    columns = new int[PromptFeatures.count()];
    Arrays.setAll(columns, i -> i);
  }

  /// The value before any tree: the mean of the targets.
  double base() {
    return base;
  }

  /// Fits one more tree.
  Tree next() {
    Tree tree =
        fitter.fit(
            draw(rows, Math.min(Math.ceilDiv(2 * rows.length, 3), ROWS_MAX)),
            draw(columns, columns.length / 2),
            left,
            SHRINKAGE);
    for (int i = 0; i < left.length; i++) {
      left[i] -= tree.value(features[i]);
    }
    return tree;
  }

  /// `count` of `all`, without one twice; `all` stays what it was but for its order.
  private int[] draw(int[] all, int count) {
    for (int i = 0; i < count; i++) {
      int other = random.nextInt(i, all.length - 1);
      int swapped = all[i];
      all[i] = all[other];
      all[other] = swapped;
    }
    return Arrays.copyOf(all, count);
  }
}
