package io.fusespill.host.checkpoint;

import java.util.Arrays;
import java.util.stream.Collectors;

/// The decoder families that can be run: what a `config.json` leaves to the class that it names.
enum Architecture {
  LLAMA("LlamaForCausalLM", Bias.CONFIGURED, false, 0, 0),
  MISTRAL("MistralForCausalLM", Bias.NONE, false, 0, 4096),
  QWEN2("Qwen2ForCausalLM", Bias.QUERY_KEY_VALUE, false, 0, 0),
  QWEN3("Qwen3ForCausalLM", Bias.CONFIGURED, true, 128, 0);

  /// Which projections of the attention have biases.
  enum Bias {
    NONE,
    QUERY_KEY_VALUE,
    /// All four, if `attention_bias` says so.
    CONFIGURED
  }

  private final String className;
  private final Bias attentionBias;
  private final boolean queryKeyNorm;
  private final int headDim;
  private final int slidingWindow;

  Architecture(
      String className, Bias attentionBias, boolean queryKeyNorm, int headDim, int slidingWindow) {
    this.className = className;
    this.attentionBias = attentionBias;
    this.queryKeyNorm = queryKeyNorm;
    this.headDim = headDim;
    this.slidingWindow = slidingWindow;
  }

  static Architecture of(String className, String file) {
    for (Architecture architecture : values()) {
      if (architecture.className.equals(className)) {
        return architecture;
      }
    }
    String known = Arrays.stream(values()).map(a -> a.className).collect(Collectors.joining(", "));
    throw new CheckpointException(
        "%s: architecture '%s' cannot be run; legal: %s".formatted(file, className, known));
  }

  Bias attentionBias() {
    return attentionBias;
  }

  /// Whether each head's queries and keys pass a norm of `headDim` weights.
  boolean queryKeyNorm() {
    return queryKeyNorm;
  }

  /// Width of a head if the file does not say; 0: the hidden width over the heads.
  int headDim() {
    return headDim;
  }

  /// Tokens that attention looks back on if the file does not say; 0: all.
  int slidingWindow() {
    return slidingWindow;
  }
}
