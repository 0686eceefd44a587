package io.fusespill.traces;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Distributions of prompt and output length fitted to published traces; their sources and licences
/// stand in their tables.
public enum PublishedLengths implements LengthDistribution {
  SHAREGPT("sharegpt", "turns of ShareGPT conversations with their history, Llama-2 tokens"),
  ARXIV("arxiv", "arXiv papers to summarise, Llama-2 tokens"),
  AZURE_CONV("azure-conv", "Azure's conversation service, 2023"),
  MOONCAKE("mooncake", "Mooncake's conversation service, long prompts"),
  RAGPULSE("ragpulse", "a campus question answering service with retrieval"),
  DEEPSEEK_R1("deepseek-r1", "a reasoning model in Alibaba's Model Studio, long outputs");

  private final String label;
  private final String description;
  private @Nullable LengthTable table;

  PublishedLengths(String label, String description) {
    this.label = label;
    this.description = description;
  }

  /// The name on the command line.
  public String label() {
    return label;
  }

  @Override
  public String toString() {
    return label;
  }

  /// One line: whose requests these are.
  public String description() {
    return description;
  }

  /// Whose figures these are, with citation.
  public String source() {
    return table().source();
  }

  /// The licence of the figures.
  public String licence() {
    return table().licence();
  }

  /// The distribution with this name on the command line.
  public static PublishedLengths named(String label) {
    return Arrays.stream(values())
        .filter(lengths -> lengths.label.equals(label))
        .findFirst()
        .orElseThrow(() ->
            new TraceException(
                "no published lengths \"%s\", must be one of %s"
                    .formatted(
                        label,
                        Arrays.stream(values())
                            .map(PublishedLengths::label)
                            .collect(Collectors.joining(", ")))));
  }

  @Override
  public Lengths draw(SeededRandom random) {
    return table().draw(random);
  }

  /// Read once; two threads that come first at the same time read the same.
  LengthTable table() {
    LengthTable known = table;
    if (known == null) {
      known = LengthTable.resource("lengths/" + label + ".csv");
      table = known;
    }
    return known;
  }
}
