package io.fusespill.host.checkpoint;

import static io.fusespill.host.checkpoint.CheckpointFolder.INDEX;
import static io.fusespill.host.checkpoint.CheckpointFolder.SINGLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What is wrong with a checkpoint is told when it is opened, in one line that names file, value,
/// what is legal and what to do.
class DamagedCheckpointTest {

  private static final String Q = "model.layers.1.self_attn.q_proj.weight";

  @TempDir private Path temp;

  private record Damage(
      String name, boolean sharded, Consumer<CheckpointFolder> cause, String... message) {

    static Damage single(String name, Consumer<CheckpointFolder> cause, String... message) {
      return new Damage(name, false, cause, message);
    }

    static Damage sharded(String name, Consumer<CheckpointFolder> cause, String... message) {
      return new Damage(name, true, cause, message);
    }

    static Damage config(String name, Consumer<ObjectNode> cause, String... message) {
      return single(name, folder -> folder.config(cause), message);
    }

    static Damage header(String name, Consumer<ObjectNode> cause, String... message) {
      return single(name, folder -> folder.header(SINGLE, cause), message);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Damage> damages() {
    return Stream.of(
        Damage.single("no config", f -> f.delete("config.json"), "config.json is missing"),
        Damage.single(
            "config is no JSON",
            f -> f.text("config.json", "{\"a\": 1,\n]"),
            "config.json is not JSON",
            "at byte"),
        Damage.single(
            "config is cut", f -> f.cut("config.json", 100), "config.json is not JSON", "again"),
        Damage.single("config is a list", f -> f.text("config.json", "[]"), "no JSON object"),
        Damage.single(
            "a key twice",
            f -> f.text("config.json", "{\"vocab_size\": 1, \"vocab_size\": 2}"),
            "Duplicate"),
        Damage.config(
            "unknown architecture",
            c -> c.putArray("architectures").add("GemmaForCausalLM"),
            "architecture 'GemmaForCausalLM' cannot be run",
            "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM"),
        Damage.config(
            "no architecture",
            c -> c.remove("architectures"),
            "lacks architectures",
            "a list of one name"),
        Damage.config(
            "an empty list of architectures",
            c -> c.putArray("architectures"),
            "architectures is []",
            "a list of one name"),
        Damage.config(
            "another activation",
            c -> c.put("hidden_act", "gelu"),
            "hidden_act is \"gelu\"; legal: silu"),
        Damage.config(
            "quantized",
            c -> c.putObject("quantization_config").put("quant_method", "awq"),
            "quantized (awq)",
            "bfloat16"),
        Damage.config(
            "negative size",
            c -> c.put("hidden_size", -64),
            "hidden_size is -64; legal: whole numbers from 1"),
        Damage.config("size as text", c -> c.put("vocab_size", "600"), "vocab_size is \"600\""),
        Damage.config("no size", c -> c.remove("intermediate_size"), "lacks intermediate_size"),
        Damage.config("half a head", c -> c.put("head_dim", 15), "15 wide; legal: even"),
        Damage.config(
            "heads do not divide",
            c -> c.put("num_key_value_heads", 3),
            "num_key_value_heads is 3; legal: divisors of num_attention_heads, 4"),
        Damage.config(
            "width does not divide",
            c -> {
              c.remove("head_dim");
              c.put("num_attention_heads", 3).put("num_key_value_heads", 3);
            },
            "num_attention_heads is 3; legal: divisors of hidden_size, 64"),
        Damage.config("too wide", c -> c.put("head_dim", 4_000_000), "are wider than"),
        Damage.config("epsilon", c -> c.put("rms_norm_eps", 0), "rms_norm_eps is 0; legal"),
        Damage.config(
            "number type", c -> c.put("dtype", "int8"), "dtype is \"int8\"; legal: float32"),
        Damage.config(
            "flag", c -> c.put("mlp_bias", "no"), "mlp_bias is \"no\"; legal: true, false"),
        Damage.single(
            "end",
            f -> {
              f.delete("generation_config.json");
              f.config(c -> c.put("eos_token_id", "</s>"));
            },
            "eos_token_id is \"</s>\""),
        Damage.single(
            "end of generation",
            f -> f.json("generation_config.json", c -> c.putArray("eos_token_id").add(-1)),
            "generation_config.json: eos_token_id is [-1]"),
        Damage.config(
            "rope of another kind",
            c -> c.putObject("rope_parameters").put("rope_type", "yarn").put("factor", 4),
            "rope_parameters: rope_type is \"yarn\"; legal: default, linear, llama3"),
        Damage.config(
            "old rope of another kind",
            c -> {
              c.remove("rope_parameters");
              c.putObject("rope_scaling").put("type", "dynamic").put("factor", 4);
            },
            "rope_scaling: type is \"dynamic\"; legal: default, linear, llama3"),
        Damage.config(
            "rope without factor",
            c -> c.putObject("rope_parameters").put("rope_type", "linear"),
            "lacks factor"),
        Damage.config(
            "rope in part",
            c -> c.put("partial_rotary_factor", 0.5),
            "partial_rotary_factor is 0.5; legal: 1"),
        Damage.config(
            "rope's limits",
            c ->
                c.putObject("rope_parameters")
                    .put("rope_type", "llama3")
                    .put("factor", 8)
                    .put("low_freq_factor", 4)
                    .put("high_freq_factor", 4)
                    .put("original_max_position_embeddings", 64),
            "low_freq_factor is 4; legal: less than high_freq_factor, 4.0"),
        Damage.config(
            "layers of another kind",
            c -> c.putArray("layer_types").add("linear_attention"),
            "layer_types is [\"linear_attention\"]"),
        Damage.single(
            "empty weights", f -> f.cut(SINGLE, 0), SINGLE + " has 0 bytes", "fetch it again"),
        Damage.single(
            "weights cut in the header",
            f -> f.cut(SINGLE, 1000),
            "is truncated: it has 1000 bytes, its header alone needs 3080"),
        Damage.single(
            "weights cut in the data",
            f -> f.cut(SINGLE, 400_000),
            "is truncated: its tensors need 450944 bytes of data, it has 396920"),
        Damage.single(
            "weights with more behind",
            f -> f.write(SINGLE, Arrays.copyOf(f.bytes(SINGLE), 460_000)),
            "has 456920 bytes of data, its tensors only 450944"),
        Damage.single(
            "huge header",
            f -> f.headerLength(SINGLE, -1),
            "header has 18446744073709551615 bytes; legal: 2 to 100000000"),
        Damage.single("tiny header", f -> f.headerLength(SINGLE, 1), "header has 1 bytes"),
        Damage.single(
            "header is no JSON",
            f -> f.rawHeader(SINGLE, "{\"x\": "),
            SINGLE + " (header) is not JSON"),
        Damage.single("header is a number", f -> f.rawHeader(SINGLE, "17"), "no JSON object"),
        Damage.header(
            "entry without type",
            h -> ((ObjectNode) h.get(Q)).remove("dtype"),
            Q,
            "legal: an object with dtype"),
        Damage.header(
            "negative shape", h -> ((ObjectNode) h.get(Q)).putArray("shape").add(-64).add(64), Q),
        Damage.header(
            "offsets turned around",
            h -> ((ObjectNode) h.get(Q)).putArray("data_offsets").add(100).add(50),
            Q + ".data_offsets is [100,50]"),
        Damage.header("overlap", h -> shift(h, Q, -128, 0), "tensor " + Q + " begins", "(overlap)"),
        Damage.header("gap", h -> shift(h, Q, 128, 0), "tensor " + Q + " begins", "(gap)"),
        Damage.header(
            "bytes and shape",
            h -> ((ObjectNode) h.get(Q)).putArray("shape").add(64).add(65),
            "tensor " + Q + " of F16 [64, 65] has 8192 bytes"),
        Damage.header(
            "shape beyond all bounds",
            h -> ((ObjectNode) h.get(Q)).putArray("shape").add(1L << 40).add(1L << 40),
            "not what its shape needs"),
        Damage.header(
            "wrong type",
            h -> ((ObjectNode) h.get(Q)).put("dtype", "I16"),
            "tensor " + Q + " has dtype I16; legal: F32, F16, BF16"),
        Damage.header(
            "unheard-of type",
            h -> ((ObjectNode) h.get(Q)).put("dtype", "F4"),
            "tensor " + Q + " has dtype F4"),
        Damage.header(
            "wrong shape",
            h -> ((ObjectNode) h.get(Q)).putArray("shape").add(32).add(128),
            "tensor " + Q + " has shape [32, 128]; config.json needs [64, 64]"),
        Damage.config(
            "weights of a larger model",
            c -> c.put("vocab_size", 700),
            "model.embed_tokens.weight has shape [600, 64]; config.json needs [700, 64]"),
        Damage.config(
            "a layer more",
            c -> c.put("num_hidden_layers", 4),
            "no file has tensor model.layers.3.input_layernorm.weight"),
        Damage.config(
            "a layer less",
            c -> c.put("num_hidden_layers", 2),
            "tensor model.layers.2.",
            "has none"),
        Damage.header(
            "a tensor of another name",
            h -> h.set("model.layers.1.self_attn.q_proj.bias", h.remove(Q)),
            "no file has tensor " + Q),
        Damage.config(
            "biases that are not there",
            c -> c.put("attention_bias", true),
            "no file has tensor model.layers.0.self_attn.q_proj.bias"),
        Damage.single(
            "no weights",
            f -> f.delete(SINGLE),
            "has neither " + SINGLE + " nor",
            "--load-format dummy"),
        Damage.single(
            "weights of another format",
            f -> {
              f.delete(SINGLE);
              f.text("pytorch_model.bin", "");
            },
            "(there is pytorch_model.bin)",
            "convert the weights to safetensors"),
        Damage.sharded(
            "missing shard",
            f -> f.delete("model-00003-of-00004.safetensors"),
            "model-00003-of-00004.safetensors is missing, one of 4 shards"),
        Damage.sharded(
            "cut shard",
            f -> f.cut("model-00002-of-00004.safetensors", 90_000),
            "model-00002-of-00004.safetensors is truncated"),
        Damage.sharded(
            "index names the wrong shard",
            f ->
                f.json(
                    INDEX,
                    c ->
                        ((ObjectNode) c.get("weight_map"))
                            .put("model.norm.weight", "model-00001-of-00004.safetensors")),
            "model-00001-of-00004.safetensors has no tensor model.norm.weight, where " + INDEX),
        Damage.sharded(
            "index without a tensor",
            f -> f.json(INDEX, c -> ((ObjectNode) c.get("weight_map")).remove("model.norm.weight")),
            "no file has tensor model.norm.weight"),
        Damage.sharded(
            "index leads elsewhere",
            f ->
                f.json(
                    INDEX,
                    c ->
                        ((ObjectNode) c.get("weight_map"))
                            .put("model.norm.weight", "../other.safetensors")),
            "is \"../other.safetensors\"; legal: names of safetensors files beside it"),
        Damage.sharded(
            "index without a map",
            f -> f.text(INDEX, "{}"),
            "no file has tensor model.embed_tokens.weight"));
  }

  private static void shift(ObjectNode header, String name, long begin, long end) {
    ObjectNode entry = (ObjectNode) header.get(name);
    long oldBegin = entry.get("data_offsets").get(0).longValue();
    long oldEnd = entry.get("data_offsets").get(1).longValue();
    entry.putArray("data_offsets").add(oldBegin + begin).add(oldEnd + end);
  }

  @ParameterizedTest
  @MethodSource("damages")
  void damage_isToldInOneLine(Damage damage) {
    Path path = temp.resolve("model");
    CheckpointFolder folder =
        damage.sharded ? CheckpointFolder.sharded(path) : CheckpointFolder.single(path);
    damage.cause.accept(folder);
    CheckpointException problem =
        catchThrowableOfType(
            CheckpointException.class, () -> Checkpoint.open(path, LoadFormat.AUTO, 0).close());
    assertThat(problem).isNotNull();
    assertThat(problem.getMessage()).contains(damage.message).contains(path.toString());
    assertThat(problem.getMessage()).doesNotContain("\n");
  }

  @Test
  void aFolderThatIsNotThere_isToldInOneLine() {
    assertThatThrownBy(() -> Checkpoint.open(temp.resolve("none"), LoadFormat.DUMMY, 0))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("none is not a folder; name one that holds");
  }

  @Test
  void whatDoesNotFitIntoMemory_isRefused() {
    Path path = CheckpointFolder.single(temp.resolve("model")).path();
    assertThatThrownBy(() -> Checkpoint.open(path, LoadFormat.AUTO, 0, 400_000))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("the weights take 0.4 MiB, the machine has 0.4 MiB of memory");
    assertThatThrownBy(() -> Checkpoint.open(path, LoadFormat.DUMMY, 0, 400_000))
        .hasMessageContaining("the weights take 0.4 MiB");
    try (Checkpoint checkpoint = Checkpoint.open(path, LoadFormat.AUTO, 0, 1 << 20)) {
      checkpoint.requireMemory(1 << 19, "KV pools");
      assertThatThrownBy(() -> checkpoint.requireMemory(1 << 20, "KV pools"))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(
              "the weights take 0.4 MiB and KV pools 1.0 MiB more, the machine has 1.0 MiB")
          .hasMessageContaining("or less for KV pools");
    }
  }
}
