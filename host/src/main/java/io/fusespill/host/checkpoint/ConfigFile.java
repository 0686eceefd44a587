package io.fusespill.host.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads a model's shape from `config.json`, in the form that transformers 5 writes (`dtype`,
/// `rope_parameters`) and in the older one (`torch_dtype`, `rope_theta`, `rope_scaling`).
///
/// The model's sizes must be there; without a number of key and value heads there are as many as
/// heads. Other defaults are those of the named class in transformers.
final class ConfigFile {

  private static final int MAX_COUNT = 1 << 22;
  private static final int MAX_LAYERS = 10_000;

  private final JsonFile json;
  private final List<Integer> eosIds;
  private final List<String> notes = new ArrayList<>();

  private ConfigFile(JsonFile json, List<Integer> eosIds) {
    this.json = json;
    this.eosIds = eosIds;
  }

  static ConfigFile of(Path folder) {
    Path file = folder.resolve("config.json");
    if (!Files.isDirectory(folder)) {
      throw new CheckpointException(
          "%s is not a folder; name one that holds a Hugging Face checkpoint".formatted(folder));
    }
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          "%s is missing; name a folder that holds a Hugging Face checkpoint".formatted(file));
    }
    JsonFile json = JsonFile.read(file);
    Path generation = folder.resolve("generation_config.json");
    List<Integer> eosIds =
        Files.isRegularFile(generation) ? eosIds(JsonFile.read(generation)) : List.of();
    return new ConfigFile(json, eosIds.isEmpty() ? eosIds(json) : eosIds);
  }

  /// What the user should know about how the file was taken.
  List<String> notes() {
    return List.copyOf(notes);
  }

  /// The element type that the file declares, if it does.
  @Nullable ElementType declaredType() {
    String key = json.has("dtype") ? "dtype" : "torch_dtype";
    String name = json.text(key, "auto");
    return switch (name.startsWith("torch.") ? name.substring("torch.".length()) : name) {
      case "float32" -> ElementType.F32;
      case "float16" -> ElementType.F16;
      case "bfloat16" -> ElementType.BF16;
      case "auto" -> null;
      default -> throw json.wrong(key, json.get(key), "float32, float16, bfloat16");
    };
  }

  /// The whole configuration.
  ///
  /// @param weightType element type of the weights
  ModelConfig model(ElementType weightType) {
    if (json.has("quantization_config")) {
      String method = json.child("quantization_config").text("quant_method", "unknown");
      throw new CheckpointException(
          "%s: the weights are quantized (%s); take a checkpoint in float32, float16 or bfloat16"
              .formatted(json.place(), method));
    }
    String className = className();
    Architecture architecture = Architecture.of(className, json.place());
    String act = json.text("hidden_act", "silu");
    if (!act.equals("silu")) {
      throw json.wrong("hidden_act", json.get("hidden_act"), "silu");
    }
    int hidden = json.count("hidden_size", MAX_COUNT);
    int heads = json.count("num_attention_heads", MAX_COUNT);
    int kvHeads = json.count("num_key_value_heads", MAX_COUNT, heads);
    if (heads % kvHeads != 0) {
      throw json.wrong(
          "num_key_value_heads",
          json.get("num_key_value_heads"),
          "divisors of num_attention_heads, " + heads);
    }
    int headDim = headDim(architecture, hidden, heads);
    boolean configuredBias =
        architecture.attentionBias() == Architecture.Bias.CONFIGURED
            && json.flag("attention_bias", false);
    Rope rope = rope(headDim);
    return new ModelConfig(
        className,
        json.count("vocab_size", MAX_COUNT),
        hidden,
        json.count("intermediate_size", MAX_COUNT),
        json.count("num_hidden_layers", MAX_LAYERS),
        heads,
        kvHeads,
        headDim,
        json.positive("rms_norm_eps", 1e-6),
        rope.frequencies(),
        configuredBias || architecture.attentionBias() == Architecture.Bias.QUERY_KEY_VALUE,
        configuredBias,
        architecture == Architecture.LLAMA && json.flag("mlp_bias", false),
        architecture.queryKeyNorm(),
        json.flag("tie_word_embeddings", false),
        maxPositions(architecture, rope),
        weightType,
        eosIds);
  }

  private String className() {
    JsonNode names = json.get("architectures");
    if (names.isMissingNode()) {
      throw new CheckpointException(
          "%s lacks architectures, a list of one name, such as LlamaForCausalLM"
              .formatted(json.place()));
    }
    if (!names.isArray() || names.size() != 1 || !names.get(0).isTextual()) {
      throw json.wrong("architectures", names, "a list of one name, such as LlamaForCausalLM");
    }
    return names.get(0).textValue();
  }

  private int headDim(Architecture architecture, int hidden, int heads) {
    int missing = architecture.headDim();
    if (!json.has("head_dim") && missing == 0) {
      if (hidden % heads != 0) {
        throw json.wrong(
            "num_attention_heads",
            json.get("num_attention_heads"),
            "divisors of hidden_size, %d, where there is no head_dim".formatted(hidden));
      }
      missing = hidden / heads;
    }
    int headDim = json.count("head_dim", MAX_COUNT, missing);
    if (headDim % 2 != 0) {
      throw new CheckpointException(
          "%s: heads are %d wide; legal: even widths, see head_dim"
              .formatted(json.place(), headDim));
    }
    if ((long) heads * headDim > MAX_COUNT) {
      throw new CheckpointException(
          "%s: %d heads of %d are wider than %d"
              .formatted(json.place(), heads, headDim, MAX_COUNT));
    }
    return headDim;
  }

  /// Frequencies, and by how much they stretch the positions that the model was made for.
  private record Rope(RopeFrequencies frequencies, double stretch) {}

  private Rope rope(int headDim) {
    JsonFile rope = json.child(json.has("rope_parameters") ? "rope_parameters" : "rope_scaling");
    double theta = rope.positive("rope_theta", json.positive("rope_theta", 10_000));
    JsonFile holder = rope.has("partial_rotary_factor") ? rope : json;
    if (holder.positive("partial_rotary_factor", 1) != 1) {
      throw holder.wrong("partial_rotary_factor", holder.get("partial_rotary_factor"), "1");
    }
    RopeFrequencies plain = RopeFrequencies.of(theta, headDim);
    String key = rope.has("rope_type") ? "rope_type" : "type";
    String type = rope.text(key, "default");
    return switch (type) {
      case "default" -> new Rope(plain, 1);
      case "linear" -> {
        double factor = rope.positive("factor");
        yield new Rope(plain.linear(factor), factor);
      }
      case "llama3" -> {
        double low = rope.positive("low_freq_factor");
        double high = rope.positive("high_freq_factor");
        if (low >= high) {
          throw rope.wrong(
              "low_freq_factor",
              rope.get("low_freq_factor"),
              "less than high_freq_factor, " + high);
        }
        int original = rope.count("original_max_position_embeddings", Integer.MAX_VALUE);
        yield new Rope(plain.llama3(rope.positive("factor"), low, high, original), 1);
      }
      default -> throw rope.wrong(key, rope.get(key), "default, linear, llama3");
    };
  }

  /// Attention here is full: a sliding window makes no difference to sequences up to its length.
  private int maxPositions(Architecture architecture, Rope rope) {
    int positions = json.count("max_position_embeddings", Integer.MAX_VALUE);
    int stretched = (int) Math.min(Integer.MAX_VALUE, positions * rope.stretch());
    int window = slidingWindow(architecture);
    if (window == 0 || window >= stretched) {
      return stretched;
    }
    notes.add(
        "%s: attention slides over %d tokens, which is not supported; sequences are limited to %d tokens instead of %d"
            .formatted(json.place(), window, window, stretched));
    return window;
  }

  /// Tokens that some layer looks back on; 0 if all layers look back on everything.
  private int slidingWindow(Architecture architecture) {
    JsonNode layers = json.get("layer_types");
    if (layers.isArray()) {
      boolean sliding = false;
      for (JsonNode layer : layers) {
        switch (layer.asText()) {
          case "full_attention" -> {}
          case "sliding_attention" -> sliding = true;
          default -> throw json.wrong("layer_types", layers, "full_attention, sliding_attention");
        }
      }
      return sliding ? json.count("sliding_window", Integer.MAX_VALUE) : 0;
    }
    return switch (architecture) {
      case LLAMA -> 0;
      // The class has a window of its own, unless the file says null.
      case MISTRAL ->
          json.node().has("sliding_window")
              ? json.count("sliding_window", Integer.MAX_VALUE, 0)
              : architecture.slidingWindow();
      case QWEN2, QWEN3 ->
          json.flag("use_sliding_window", false)
              ? json.count("sliding_window", Integer.MAX_VALUE, 4096)
              : 0;
    };
  }

  private static List<Integer> eosIds(JsonFile json) {
    JsonNode value = json.get("eos_token_id");
    if (value.isMissingNode()) {
      return List.of();
    }
    List<Integer> ids = new ArrayList<>();
    for (JsonNode id : value.isArray() ? value : List.of(value)) {
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
        throw json.wrong("eos_token_id", value, "an id of the vocabulary, or a list of them");
      }
      ids.add(id.intValue());
    }
    return ids;
  }
}
