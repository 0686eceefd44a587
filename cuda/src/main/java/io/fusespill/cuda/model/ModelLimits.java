package io.fusespill.cuda.model;

/// The largest step that a model on a GPU has room for.
///
/// @param maxRows tokens of a step, at least 1
/// @param maxEntries sequences of a step, 1 to 65,535
/// @param maxSamples rows of a step whose logits are wanted, for a sample or by the host; 1 to
///   65,535
/// @param maxTokens of a sequence, at least 1
public record ModelLimits(int maxRows, int maxEntries, int maxSamples, int maxTokens) {

  /// Most sequences, and most samples, of a step: as many as a grid has blocks in y.
  public static final int GRID_MAX = 65_535;

  public ModelLimits {
    check("maxRows", maxRows);
    check("maxEntries", maxEntries);
    check("maxSamples", maxSamples);
    check("maxTokens", maxTokens);
    checkGrid("maxEntries", maxEntries);
    checkGrid("maxSamples", maxSamples);
  }

  private static void checkGrid(String name, int value) {
    if (value > GRID_MAX) {
      throw new IllegalArgumentException(
          "%s must be at most %d, got %d".formatted(name, GRID_MAX, value));
    }
  }

  private static void check(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("%s must be at least 1, got %d".formatted(name, value));
    }
  }
}
