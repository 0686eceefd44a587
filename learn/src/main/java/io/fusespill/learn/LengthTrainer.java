package io.fusespill.learn;

import io.fusespill.traces.SeededRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/// Trains a [LengthModel] and tries it on requests that were held out. The same requests, seed and
/// share give the same model on every machine.
///
/// Requests with the same prompt are all held out or none. How many trees there are is decided on a
/// fifth of the training prompts, after which the trees are fitted again on all of them.
public final class LengthTrainer {

  /// Distinct prompts needed.
  public static final int PROMPTS_MIN = 50;

  /// Share of the training prompts on which the number of trees is decided.
  private static final double TUNING_SHARE = 0.2;

  private static final int TREES_MAX = 200;

  /// Trees in a row that make nothing better before it is given up.
  private static final int PATIENCE = 30;

  private final long seed;
  private final double holdout;

  /// @param holdout share of the prompts that is held out, 0.05 to 0.5
  public LengthTrainer(long seed, double holdout) {
    if (!(holdout >= 0.05 && holdout <= 0.5)) {
      throw new LengthModelException("holdout is %s, must be 0.05 to 0.5".formatted(holdout));
    }
    this.seed = seed;
    this.holdout = holdout;
  }

  /// A model and how it did on what was held out.
  public record Result(LengthModel model, Evaluation evaluation) {}

  /// The most that [#train]'s `progress` can hear.
  public static int progressMax() {
    return 2 * TREES_MAX;
  }

  /// @param progress hears how many trees were fitted so far
  public Result train(List<TextRequest> requests, IntConsumer progress) {
    long prompts = requests.stream().map(TextRequest::prompt).distinct().count();
    if (prompts < PROMPTS_MIN) {
      throw new LengthModelException(
          "%d different prompts to train on, must be at least %d; add data"
              .formatted(prompts, PROMPTS_MIN));
    }
    Split outer = Split.of(requests, holdout, new SeededRandom(seed, "holdout"));
    List<TextRequest> training = outer.kept();
    Split inner = Split.of(training, TUNING_SHARE, new SeededRandom(seed, "tuning"));
    BoostedTrees trees =
        fit(training, treeCount(inner, progress), count -> progress.accept(TREES_MAX + count));
    Evaluation evaluation =
        Evaluation.of(
            training, outer.heldOut(), request -> LengthModel.tokens(trees, features(request)));
    return new Result(new LengthModel(trees, seed, evaluation), evaluation);
  }

  /// The number of trees with the lowest mean absolute error on what is held out.
  private int treeCount(Split split, IntConsumer progress) {
    Booster booster = booster(split.kept());
    double[][] features = features(split.heldOut());
    double[] values = new double[features.length];
    Arrays.fill(values, booster.base());
    long least = error(values, split.heldOut());
    int best = 0;
    for (int count = 1; count <= TREES_MAX && count - best <= PATIENCE; count++) {
      Tree tree = booster.next();
      for (int i = 0; i < values.length; i++) {
        values[i] += tree.value(features[i]);
      }
      long error = error(values, split.heldOut());
      if (error < least) {
        least = error;
        best = count;
      }
      progress.accept(count);
    }
    return best;
  }

  private static long error(double[] values, List<TextRequest> requests) {
    long error = 0;
    for (int i = 0; i < values.length; i++) {
      error += Math.abs(LengthModel.tokens(values[i]) - requests.get(i).outputTokens());
    }
    return error;
  }

  private BoostedTrees fit(List<TextRequest> requests, int count, IntConsumer progress) {
    Booster booster = booster(requests);
    List<Tree> trees = new ArrayList<>();
    while (trees.size() < count) {
      trees.add(booster.next());
      progress.accept(trees.size());
    }
    return new BoostedTrees(booster.base(), trees);
  }

  private Booster booster(List<TextRequest> requests) {
    double[] targets =
        requests.stream()
            .mapToDouble(request -> LengthModel.target(request.outputTokens()))
            .toArray();
    return new Booster(features(requests), targets, new SeededRandom(seed, "boosting"));
  }

  private static double[][] features(List<TextRequest> requests) {
    return requests.stream().map(LengthTrainer::features).toArray(double[][]::new);
  }

  private static double[] features(TextRequest request) {
    return PromptFeatures.of(request.prompt(), request.promptTokens());
  }

  /// Requests in two parts by their prompts.
  private record Split(List<TextRequest> kept, List<TextRequest> heldOut) {

    static Split of(List<TextRequest> requests, double share, SeededRandom random) {
      List<String> prompts =
          new ArrayList<>(new TreeSet<>(requests.stream().map(TextRequest::prompt).toList()));
      for (int i = prompts.size() - 1; i > 0; i--) {
        prompts.set(i, prompts.set(random.nextInt(0, i), prompts.get(i)));
      }
      int count = (int) Math.ceil(share * prompts.size());
      Set<String> out = Set.copyOf(prompts.subList(0, count));
      return new Split(
          requests.stream().filter(request -> !out.contains(request.prompt())).toList(),
          requests.stream().filter(request -> out.contains(request.prompt())).toList());
    }
  }
}
