package io.fusespill.learn;

/// A regression tree over [PromptFeatures].
sealed interface Tree {

  /// The value of the leaf that `features` lead to.
  default double value(double[] features) {
    Tree tree = this;
    while (tree instanceof Split split) {
      tree = features[split.feature] <= split.atMost ? split.then : split.otherwise;
    }
    return ((Leaf) tree).value;
  }

  /// @param feature index of what is asked
  /// @param atMost up to which value it goes on at `then`
  record Split(int feature, double atMost, Tree then, Tree otherwise) implements Tree {}

  /// What is added to a prediction.
  record Leaf(double value) implements Tree {}
}
