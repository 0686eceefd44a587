package io.fusespill.learn;

import io.fusespill.traces.TraceLimits;
import java.nio.file.Path;

/// Predicts the tokens of an output from its prompt's text.
public final class LengthModel {

  private final BoostedTrees trees;
  private final long seed;
  private final Evaluation evaluation;

  LengthModel(BoostedTrees trees, long seed, Evaluation evaluation) {
    this.trees = trees;
    this.seed = seed;
    this.evaluation = evaluation;
  }

  /// Reads a model's file. Throws [LengthModelException] where it is none, or of another version.
  public static LengthModel read(Path file) {
    return LengthModelFile.read(file);
  }

  /// Writes the model's file, over one that is there.
  public void write(Path file) {
    LengthModelFile.write(this, file);
  }

  /// The tokens to expect, 1 to [TraceLimits#MAX_TOKENS].
  public int outputTokens(TextRequest request) {
    return tokens(trees, PromptFeatures.of(request.prompt(), request.promptTokens()));
  }

  /// How it did when it was trained.
  public Evaluation evaluation() {
    return evaluation;
  }

  BoostedTrees trees() {
    return trees;
  }

  long seed() {
    return seed;
  }

  /// How many trees it adds up.
  public int treeCount() {
    return trees.trees().size();
  }

  /// What trees are fitted to: outputs differ by factors, not by tokens.
  static double target(int outputTokens) {
    return StrictMath.log1p(outputTokens);
  }

  /// The tokens that a sum of trees stands for.
  static int tokens(double value) {
    return Math.clamp(Math.round(StrictMath.expm1(value)), 1, TraceLimits.MAX_TOKENS);
  }

  static int tokens(BoostedTrees trees, double[] features) {
    return tokens(trees.value(features));
  }
}
