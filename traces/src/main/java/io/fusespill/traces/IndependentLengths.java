package io.fusespill.traces;

/// Prompt and output lengths drawn one after the other.
record IndependentLengths(TokenDistribution prompt, TokenDistribution output)
    implements LengthDistribution {

  @Override
  public Lengths draw(SeededRandom random) {
    int promptTokens = prompt.draw(random);
    return new Lengths(promptTokens, output.draw(random));
  }

  @Override
  public String toString() {
    return "prompt %s and output %s".formatted(prompt, output);
  }
}
