package io.fusespill.sim.profile;

import java.util.Arrays;
import java.util.List;

/// The decoder families whose parameters are counted here: pre-norm blocks with RMSNorm, rotary
/// positions and a gated MLP. They differ in biases and in norms on queries and keys.
public enum Architecture {
  LLAMA(false, false, "LlamaForCausalLM"),
  MISTRAL(false, false, "MistralForCausalLM"),
  BAICHUAN(false, false, "BaichuanForCausalLM", "BaiChuanForCausalLM"),
  AQUILA(false, false, "AquilaForCausalLM", "AquilaModel"),
  QWEN2(true, false, "Qwen2ForCausalLM"),
  QWEN3(false, true, "Qwen3ForCausalLM");

  private final boolean queryKeyValueBias;
  private final boolean queryKeyNorm;
  private final List<String> classes;

  Architecture(boolean queryKeyValueBias, boolean queryKeyNorm, String... classes) {
    this.queryKeyValueBias = queryKeyValueBias;
    this.queryKeyNorm = queryKeyNorm;
    this.classes = List.of(classes);
  }

  /// Whether query, key and value projections always have a bias.
  boolean queryKeyValueBias() {
    return queryKeyValueBias;
  }

  /// Whether each head's queries and keys pass a norm of `headDim` weights.
  boolean queryKeyNorm() {
    return queryKeyNorm;
  }

  /// By the class name in `architectures` of a checkpoint's `config.json`.
  static Architecture of(String className) {
    for (Architecture architecture : values()) {
      if (architecture.classes.contains(className)) {
        return architecture;
      }
    }
    List<String> known = Arrays.stream(values()).flatMap(a -> a.classes.stream()).toList();
    throw new ProfileException(
        "architecture %s is not supported%s; known: %s"
            .formatted(className, NearMatch.hint(className, known), String.join(", ", known)));
  }
}
