package io.fusespill.sim.profile;

import java.nio.file.Path;
import java.util.List;

/// Understands the `config.json` of a Hugging Face checkpoint.
final class ModelConfig {

  private static final List<String> NOT_MODELLED =
      List.of(
          "quantization_config",
          "num_experts",
          "num_local_experts",
          "n_routed_experts",
          "kv_lora_rank");

  private ModelConfig() {}

  static ModelProfile read(Path file) {
    return JsonReader.parseSome(
        JsonReader.text(file), file.toString(), json -> profile(json, nameOf(file)));
  }

  static ModelProfile profile(JsonReader json, String defaultName) {
    Architecture architecture = architecture(json);
    for (String key : NOT_MODELLED) {
      if (json.has(key)) {
        throw json.problem(key, "announces a model that is not dense 16- or 32-bit: not supported");
      }
    }
    int hiddenSize = json.count("hidden_size");
    int heads = json.count("num_attention_heads");
    return new ModelProfile(
        json.has("name") ? json.text("name") : defaultName,
        architecture,
        json.count("num_hidden_layers"),
        hiddenSize,
        heads,
        json.has("num_key_value_heads") ? json.count("num_key_value_heads") : heads,
        json.has("head_dim") ? json.count("head_dim") : headDim(json, hiddenSize, heads),
        json.count("intermediate_size"),
        json.count("vocab_size"),
        json.count("max_position_embeddings"),
        flag(json, "tie_word_embeddings"),
        flag(json, "attention_bias"),
        flag(json, "mlp_bias"),
        DataType.of(json.text(json.has("torch_dtype") ? "torch_dtype" : "dtype")),
        json.has("source") ? json.text("source") : "config.json");
  }

  private static Architecture architecture(JsonReader json) {
    List<String> classes = json.texts("architectures");
    if (classes.size() != 1) {
      throw json.problem("architectures", "is %s, must name one class".formatted(classes));
    }
    return Architecture.of(classes.getFirst());
  }

  private static int headDim(JsonReader json, int hiddenSize, int heads) {
    if (heads < 1 || hiddenSize % heads != 0) {
      throw json.problem(
          "head_dim",
          "is missing and hidden_size %d ÷ num_attention_heads %d is not whole: state it"
              .formatted(hiddenSize, heads));
    }
    return hiddenSize / heads;
  }

  private static boolean flag(JsonReader json, String key) {
    return json.has(key) && json.flag(key);
  }

  private static String nameOf(Path file) {
    Path folder = file.toAbsolutePath().normalize().getParent();
    Path name = folder == null ? null : folder.getFileName();
    return name == null ? file.toString() : name.toString();
  }
}
