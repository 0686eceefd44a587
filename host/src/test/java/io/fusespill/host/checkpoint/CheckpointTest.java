package io.fusespill.host.checkpoint;

import static io.fusespill.host.checkpoint.CheckpointFolder.SINGLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.host.GoldenModels;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);

  @TempDir private Path temp;

  static List<Path> models() {
    return GoldenModels.folders();
  }

  @ParameterizedTest
  @MethodSource("models")
  void everyTensorOfAModel_canBeHad(Path folder) {
    try (Checkpoint checkpoint = Checkpoint.open(folder, LoadFormat.SAFETENSORS, 0)) {
      long bytes = 0;
      for (TensorShape shape : TensorShape.all(checkpoint.config())) {
        Tensor tensor = checkpoint.tensor(shape.name(), shape.rows(), shape.columns());
        assertThat(tensor.type()).isEqualTo(checkpoint.config().weightType());
        assertThat(tensor.data().isReadOnly()).isTrue();
        assertThat(tensor.data().address() % 4).isZero();
        bytes += tensor.data().byteSize();
      }
      assertThat(checkpoint.weightBytes()).isEqualTo(bytes);
      assertThat(checkpoint.notes()).isEmpty();
    }
  }

  @Test
  void configuration_ofTheNewForm_isRead() {
    try (Checkpoint checkpoint =
        Checkpoint.open(GoldenModels.bundled("llama2-mha"), LoadFormat.AUTO, 0)) {
      ModelConfig config = checkpoint.config();
      assertThat(config.architecture()).isEqualTo("LlamaForCausalLM");
      assertThat(
              List.of(
                  config.vocabulary(),
                  config.hidden(),
                  config.intermediate(),
                  config.layers(),
                  config.heads(),
                  config.kvHeads(),
                  config.headDim(),
                  config.maxPositions()))
          .containsExactly(600, 64, 172, 3, 4, 4, 16, 512);
      assertThat(config.normEpsilon()).isEqualTo(1e-5);
      assertThat(config.weightType()).isEqualTo(ElementType.F16);
      assertThat(config.eosIds()).containsExactly(2);
      assertThat(config.rope().frequency(1)).isCloseTo(Math.pow(10_000, -1 / 8.0), within(1e-15));
      assertThat(config.tiedEmbeddings()).isFalse();
    }
  }

  @Test
  void configuration_ofTheOldForm_isRead() {
    Path folder = GoldenModels.bundled("llama3-gqa-ropescaled-tied-sharded");
    try (Checkpoint checkpoint = Checkpoint.open(folder, LoadFormat.AUTO, 0)) {
      ModelConfig config = checkpoint.config();
      assertThat(config.heads()).isEqualTo(6);
      assertThat(config.kvHeads()).isEqualTo(2);
      assertThat(config.weightType()).isEqualTo(ElementType.BF16);
      assertThat(config.tiedEmbeddings()).isTrue();
      assertThat(config.eosIds()).containsExactly(1);
      RopeFrequencies expected = RopeFrequencies.of(500_000, 16).llama3(8, 1, 4, 64);
      for (int i = 0; i < 8; i++) {
        assertThat(config.rope().frequency(i)).isEqualTo(expected.frequency(i));
      }
    }
  }

  /// A table of what config.json may say beyond the golden models.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          LlamaForCausalLM   | {"attention_bias":true,"mlp_bias":true}      | bias=true out=true mlp=true qk=false dim=16 max=512
          MistralForCausalLM | {"attention_bias":true,"sliding_window":null} | bias=false out=false mlp=false qk=false dim=16 max=512
          MistralForCausalLM | {"sliding_window":128}                       | bias=false out=false mlp=false qk=false dim=16 max=128
          MistralForCausalLM | {"max_position_embeddings":32768}            | bias=false out=false mlp=false qk=false dim=16 max=4096
          MistralForCausalLM | {"sliding_window":4096}                      | bias=false out=false mlp=false qk=false dim=16 max=512
          Qwen2ForCausalLM   | {}                                           | bias=true out=false mlp=false qk=false dim=16 max=512
          Qwen2ForCausalLM   | {"use_sliding_window":true,"sliding_window":256} | bias=true out=false mlp=false qk=false dim=16 max=256
          Qwen2ForCausalLM   | {"use_sliding_window":false,"sliding_window":256} | bias=true out=false mlp=false qk=false dim=16 max=512
          Qwen2ForCausalLM   | {"layer_types":["full_attention"],"sliding_window":256,"use_sliding_window":true} | bias=true out=false mlp=false qk=false dim=16 max=512
          Qwen2ForCausalLM   | {"layer_types":["full_attention","sliding_attention"],"sliding_window":256} | bias=true out=false mlp=false qk=false dim=16 max=256
          Qwen3ForCausalLM   | {"head_dim":null}                            | bias=false out=false mlp=false qk=true dim=128 max=512
          Qwen3ForCausalLM   | {"attention_bias":true}                      | bias=true out=true mlp=false qk=true dim=16 max=512
          LlamaForCausalLM   | {"head_dim":null,"rope_parameters":null,"rope_scaling":{"type":"linear","factor":4.0}} | bias=false out=false mlp=false qk=false dim=16 max=2048
          """)
  void shapesOfTheFamilies_areTold(String architecture, String keys, String expected)
      throws IOException {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    ObjectNode changes = (ObjectNode) new ObjectMapper().readTree(keys);
    folder.config(c -> {
      c.putArray("architectures").add(architecture);
      c.setAll(changes);
    });
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.DUMMY, 0)) {
      ModelConfig config = checkpoint.config();
      assertThat(
              "bias=%s out=%s mlp=%s qk=%s dim=%d max=%d"
                  .formatted(
                      config.qkvBias(),
                      config.outputBias(),
                      config.mlpBias(),
                      config.qkNorm(),
                      config.headDim(),
                      config.maxPositions()))
          .isEqualTo(expected);
      assertThat(checkpoint.notes())
          .hasSize(config.maxPositions() < 512 || config.maxPositions() == 4096 ? 1 : 0);
    }
  }

  /// Whatever the class, and where transformers has another number for it.
  @ParameterizedTest
  @ValueSource(strings = {"LlamaForCausalLM", "MistralForCausalLM", "Qwen3ForCausalLM"})
  void withoutKeyValueHeads_thereAreAsManyAsHeads(String architecture) {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    folder.config(c -> {
      c.putArray("architectures").add(architecture);
      c.remove("num_key_value_heads");
    });
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.DUMMY, 0)) {
      assertThat(checkpoint.config().kvHeads()).isEqualTo(checkpoint.config().heads());
    }
  }

  @Test
  void aShortenedWindow_isNoted() {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    folder.config(c -> {
      c.putArray("architectures").add("MistralForCausalLM");
      c.put("sliding_window", 128);
    });
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.AUTO, 0)) {
      assertThat(checkpoint.notes())
          .singleElement()
          .asString()
          .contains("slides over 128 tokens", "limited to 128 tokens instead of 512");
    }
  }

  @Test
  void linearRope_stretchesPositions() {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    folder.config(c -> {
      c.remove("rope_parameters");
      c.putObject("rope_scaling").put("type", "linear").put("factor", 4.0);
    });
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.AUTO, 0)) {
      assertThat(checkpoint.config().maxPositions()).isEqualTo(2048);
      assertThat(checkpoint.config().rope().frequency(0)).isEqualTo(0.25);
    }
  }

  @Test
  void ends_comeFromTheGenerationConfigFirst() {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    folder.json("generation_config.json", c -> c.putArray("eos_token_id").add(7).add(2).add(9));
    assertThat(eosIds(folder)).containsExactly(7, 2, 9);
    folder.json("generation_config.json", c -> c.remove("eos_token_id"));
    assertThat(eosIds(folder)).containsExactly(2);
    folder.delete("generation_config.json");
    assertThat(eosIds(folder)).containsExactly(2);
    folder.config(c -> c.putNull("eos_token_id"));
    assertThat(eosIds(folder)).isEmpty();
  }

  private static List<Integer> eosIds(CheckpointFolder folder) {
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.AUTO, 0)) {
      return checkpoint.config().eosIds();
    }
  }

  @Test
  void weightType_isThatOfTheWeightsIfTheFileIsSilent() {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    folder.config(c -> c.remove("dtype"));
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.AUTO, 0)) {
      assertThat(checkpoint.config().weightType()).isEqualTo(ElementType.F16);
    }
  }

  @Test
  void tensorsAtOddPlaces_areMovedToEvenOnes() {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    short[] before = values(folder, "model.layers.1.mlp.up_proj.weight", 172, 64);
    byte[] bytes = folder.bytes(SINGLE);
    int headerBytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
    String header = new String(bytes, 8, headerBytes, StandardCharsets.UTF_8).stripTrailing();
    folder.rawHeader(SINGLE, header + (header.length() % 2 == 0 ? " " : "  "));
    assertThat(values(folder, "model.layers.1.mlp.up_proj.weight", 172, 64)).isEqualTo(before);
  }

  private static short[] values(CheckpointFolder folder, String name, int rows, int columns) {
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.AUTO, 0)) {
      Tensor tensor = checkpoint.tensor(name, rows, columns);
      assertThat(tensor.data().address() % 4).isZero();
      return tensor.data().toArray(SHORT);
    }
  }

  @Test
  void tablesOfOldVersions_arePassedOver() {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    folder.config(c -> c.put("tie_word_embeddings", true));
    folder.header(
        SINGLE,
        h ->
            h.putObject("model.layers.0.self_attn.rotary_emb.inv_freq")
                .put("dtype", "F32")
                .set("shape", h.arrayNode().add(0)));
    folder.header(
        SINGLE,
        h ->
            ((ObjectNode) h.get("model.layers.0.self_attn.rotary_emb.inv_freq"))
                .putArray("data_offsets")
                .add(0)
                .add(0));
    // It also has a head, which tied embeddings leave unused.
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.AUTO, 0)) {
      assertThatThrownBy(() -> checkpoint.tensor("lm_head.weight", 600, 64))
          .isInstanceOf(CheckpointException.class);
    }
  }

  @Test
  void anotherShapeOrName_isRefused() {
    try (Checkpoint checkpoint =
        Checkpoint.open(GoldenModels.bundled("llama2-mha"), LoadFormat.AUTO, 0)) {
      assertThatThrownBy(() -> checkpoint.tensor("model.norm.weight", 64, 1))
          .hasMessageContaining("no tensor model.norm.weight of 64 x 1, but of 1 x 64");
      assertThatThrownBy(() -> checkpoint.tensor("model.norm", 1, 64))
          .hasMessageContaining("no tensor model.norm of 1 x 64");
    }
  }

  @Test
  void filesBeyondTwoGiB_areMapped() throws IOException {
    int vocabulary = 1_500_000;
    int hidden = 1024;
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    folder.config(c ->
        c.put("vocab_size", vocabulary)
            .put("hidden_size", hidden)
            .put("intermediate_size", 2)
            .put("num_hidden_layers", 1)
            .put("num_attention_heads", 1)
            .put("num_key_value_heads", 1)
            .put("head_dim", 2)
            .put("tie_word_embeddings", true));
    ModelConfig config;
    try (Checkpoint dummy = Checkpoint.open(folder.path(), LoadFormat.DUMMY, 0, Long.MAX_VALUE)) {
      config = dummy.config();
    }
    writeSparse(folder.file(SINGLE), config);
    try (Checkpoint checkpoint =
        Checkpoint.open(folder.path(), LoadFormat.AUTO, 0, Long.MAX_VALUE)) {
      assertThat(checkpoint.weightBytes()).isGreaterThan(3_000_000_000L);
      Tensor norm = checkpoint.tensor("model.norm.weight", 1, hidden);
      assertThat(norm.data().getAtIndex(SHORT, hidden - 1)).isEqualTo((short) 0x3c00);
      Tensor table = checkpoint.tensor("model.embed_tokens.weight", vocabulary, hidden);
      assertThat(table.data().byteSize()).isEqualTo(3_072_000_000L);
    }
  }

  /// A file whose numbers are all 0, except the very last.
  private static void writeSparse(Path file, ModelConfig config) throws IOException {
    ObjectNode header = new ObjectMapper().createObjectNode();
    long at = 0;
    for (TensorShape shape : TensorShape.all(config)) {
      ObjectNode entry = header.putObject(shape.name()).put("dtype", "F16");
      if (shape.rows() == 1) {
        entry.putArray("shape").add(shape.columns());
      } else {
        entry.putArray("shape").add(shape.rows()).add(shape.columns());
      }
      entry.putArray("data_offsets").add(at).add(at + 2 * shape.elements());
      at += 2 * shape.elements();
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    Files.delete(file);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.SPARSE,
            StandardOpenOption.WRITE)) {
      ByteBuffer start = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(start.putLong(json.length).put(json).flip(), 0);
      ByteBuffer one = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(one.putShort((short) 0x3c00).flip(), 8 + json.length + at - 2);
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void dummyWeights_areBellShaped(ElementType type) {
    CheckpointFolder folder = CheckpointFolder.single(temp.resolve("model"));
    folder.config(c ->
        c.put(
            "dtype",
            type == ElementType.F32
                ? "float32"
                : type == ElementType.F16 ? "float16" : "bfloat16"));
    folder.delete(SINGLE);
    try (Checkpoint checkpoint = Checkpoint.open(folder.path(), LoadFormat.DUMMY, 1)) {
      float[] weights = floats(checkpoint.tensor("model.layers.0.mlp.down_proj.weight", 64, 172));
      double sum = 0;
      double squares = 0;
      double largest = 0;
      for (float weight : weights) {
        sum += weight;
        squares += weight * weight;
        largest = Math.max(largest, Math.abs(weight));
      }
      double deviation = Math.sqrt(squares / weights.length);
      assertThat(sum / weights.length).isCloseTo(0, within(0.003));
      assertThat(deviation).isCloseTo(1 / Math.sqrt(172), within(0.003));
      assertThat(largest).isBetween(3 * deviation, 6 * deviation);
      assertThat(floats(checkpoint.tensor("model.norm.weight", 1, 64))).containsOnly(1);
    }
  }

  @Test
  void dummyWeights_followFromSeedAndName() {
    Path folder = GoldenModels.bundled("llama2-mha");
    String up = "model.layers.0.mlp.up_proj.weight";
    String gate = "model.layers.0.mlp.gate_proj.weight";
    try (Checkpoint one = Checkpoint.open(folder, LoadFormat.DUMMY, 1);
        Checkpoint same = Checkpoint.open(folder, LoadFormat.DUMMY, 1);
        Checkpoint other = Checkpoint.open(folder, LoadFormat.DUMMY, 2)) {
      float[] weights = floats(one.tensor(up, 172, 64));
      float[] otherTensor = floats(same.tensor(gate, 172, 64));
      assertThat(floats(same.tensor(up, 172, 64))).isEqualTo(weights);
      assertThat(otherTensor).isNotEqualTo(weights);
      assertThat(floats(other.tensor(up, 172, 64))).isNotEqualTo(weights);
      assertThat(one.tensor(up, 172, 64)).isSameAs(one.tensor(up, 172, 64));
      // From a Python script of the same formulas.
      assertThat(weights).startsWith(PINNED);
    }
  }

  private static final float[] PINNED = {
    0.136230469f,
    0.217895508f,
    0.096862793f,
    -0.299316406f,
    0.123596191f,
    0.00656509399f,
    -0.0892333984f,
    0.0711669922f,
    -0.0106887817f,
    0.0692749023f,
    0.0551757812f,
    0.019744873f
  };

  private static float[] floats(Tensor tensor) {
    float[] floats = new float[tensor.rows() * tensor.columns()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] =
          switch (tensor.type()) {
            case F32 -> tensor.data().getAtIndex(ValueLayout.JAVA_FLOAT, i);
            case F16 -> Float.float16ToFloat(tensor.data().getAtIndex(SHORT, i));
            case BF16 -> Float.intBitsToFloat(tensor.data().getAtIndex(SHORT, i) << 16);
          };
    }
    return floats;
  }
}
