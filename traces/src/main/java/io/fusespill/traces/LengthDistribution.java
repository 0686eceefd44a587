package io.fusespill.traces;

/// Where the lengths of generated requests come from: one of [PublishedLengths], or prompt and
/// output drawn apart.
public sealed interface LengthDistribution permits PublishedLengths, IndependentLengths {

  /// The lengths of the next request.
  Lengths draw(SeededRandom random);

  /// Prompt and output that know nothing of each other.
  static LengthDistribution independent(TokenDistribution prompt, TokenDistribution output) {
    return new IndependentLengths(prompt, output);
  }

  /// What was drawn.
  record Lengths(int promptTokens, int outputTokens) {}
}
