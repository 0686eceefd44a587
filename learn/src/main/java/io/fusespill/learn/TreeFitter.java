package io.fusespill.learn;

import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.tribuo.Example;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.MutableDataset;
import org.tribuo.common.tree.LeafNode;
import org.tribuo.common.tree.Node;
import org.tribuo.common.tree.SplitNode;
import org.tribuo.common.tree.TreeModel;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.rtree.CARTJointRegressionTrainer;
import org.tribuo.regression.rtree.impurity.MeanSquaredError;

/// Fits one tree by CART (Breiman et al., "Classification and Regression Trees", 1984), which is
/// Tribuo's; all that this module takes from it is here.
final class TreeFitter {

  private static final int DEPTH = 5;
  private static final float LEAF_REQUESTS_MIN = 8;
  private static final String TARGET = "tokens";
  private static final RegressionFactory FACTORY = new RegressionFactory();

  /// Tribuo wants to know when the data was made; a model must not depend on it.
  private static final SimpleDataSourceProvenance NO_SOURCE =
      new SimpleDataSourceProvenance(
          "prompts", OffsetDateTime.of(2026, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC), FACTORY);

  private final double[][] features;

  /// Indexes of the features in the order of their names, in which Tribuo keeps them.
  private final int[] byName =
      IntStream.range(0, PromptFeatures.count())
          .boxed()
          .sorted(Comparator.comparing(PromptFeatures::name))
          .mapToInt(Integer::intValue)
          .toArray();

  /// @param features of each request
  TreeFitter(double[][] features) {
    this.features = features;
  }

  /// A tree for the targets of some of the requests by the prompt's tokens and some of the
  /// features, its leaves times `shrinkage`.
  Tree fit(int[] rows, int[] columns, double[] targets, double shrinkage) {
    boolean[] used = new boolean[PromptFeatures.count()];
    used[PromptFeatures.PROMPT_TOKENS] = true;
    for (int column : columns) {
      used[column] = true;
    }
    MutableDataset<Regressor> data = new MutableDataset<>(NO_SOURCE, FACTORY);
    for (int row : rows) {
      data.add(example(features[row], used, targets[row]));
    }
    TreeModel<Regressor> model =
        new CARTJointRegressionTrainer(
                DEPTH, LEAF_REQUESTS_MIN, 0, 1, new MeanSquaredError(), false, 0)
            .train(data);
    return tree(model.getRoot(), model.getFeatureIDMap(), shrinkage);
  }

  /// What is 0 is left out: Tribuo takes what is not there for 0.
  private Example<Regressor> example(double[] values, boolean[] used, double target) {
    String[] names = new String[byName.length];
    double[] present = new double[byName.length];
    int count = 0;
    for (int column : byName) {
      if (used[column] && values[column] != 0) {
        names[count] = PromptFeatures.name(column);
        present[count++] = values[column];
      }
    }
    return new ArrayExample<>(
        new Regressor(TARGET, target), Arrays.copyOf(names, count), Arrays.copyOf(present, count));
  }

  private static Tree tree(Node<Regressor> node, ImmutableFeatureMap names, double shrinkage) {
    return switch (node) {
      case SplitNode<Regressor> split ->
          new Tree.Split(
              PromptFeatures.index(names.get(split.getFeatureID()).getName()),
              split.splitValue(),
              tree(split.getLessThanOrEqual(), names, shrinkage),
              tree(split.getGreaterThan(), names, shrinkage));
      case LeafNode<Regressor> leaf -> new Tree.Leaf(shrinkage * leaf.getOutput().getValues()[0]);
      default -> throw new IllegalStateException("a node that is neither split nor leaf: " + node);
    };
  }
}
