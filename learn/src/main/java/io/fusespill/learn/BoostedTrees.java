package io.fusespill.learn;

import java.util.List;

/// A sum of trees: the first guess, and what each tree adds to it.
record BoostedTrees(double base, List<Tree> trees) {

  BoostedTrees {
    trees = List.copyOf(trees);
  }

  double value(double[] features) {
    double value = base;
    for (Tree tree : trees) {
      value += tree.value(features);
    }
    return value;
  }
}
