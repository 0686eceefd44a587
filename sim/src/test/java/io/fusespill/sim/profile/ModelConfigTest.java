package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {

  private static final String OLD_LLAMA =
      """
      {
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 64,
        "intermediate_size": 172,
        "max_position_embeddings": 512,
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "rms_norm_eps": 1e-06,
        "torch_dtype": "float16",
        "vocab_size": 600
      }
      """;

  @Test
  void read_oldConfig_fillsInWhatItLacks() {
    ModelProfile model = parse(OLD_LLAMA);

    assertThat(model.name()).isEqualTo("folder");
    assertThat(model.kvHeads()).isEqualTo(4);
    assertThat(model.headDim()).isEqualTo(16);
    assertThat(model.dataType()).isEqualTo(DataType.FLOAT16);
    assertThat(model.tiedEmbeddings()).isFalse();
  }

  @Test
  void read_newName_isUnderstood() {
    assertThat(parse(OLD_LLAMA.replace("torch_dtype", "dtype")).dataType())
        .isEqualTo(DataType.FLOAT16);
  }

  @Test
  void read_nullHeads_areMissing() {
    String json =
        OLD_LLAMA.replace("{\n", "{ \"num_key_value_heads\": null, \"head_dim\": null,\n");

    assertThat(parse(json).kvHeads()).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource({
    "MixtralForCausalLM, architecture MixtralForCausalLM is not supported",
    "Qwen3MoeForCausalLM, did you mean Qwen3ForCausalLM",
    "GPT2LMHeadModel, known: LlamaForCausalLM",
  })
  void read_otherArchitecture_saysWhatIsKnown(String name, String expected) {
    assertProblem(OLD_LLAMA.replace("LlamaForCausalLM", name), expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"num_local_experts", "quantization_config"})
  void read_notDense_isAnError(String key) {
    assertProblem(OLD_LLAMA.replace("{\n", "{ \"" + key + "\": 8,\n"), key + " announces");
  }

  @Test
  void read_headDimNotWhole_asksForIt() {
    assertProblem(OLD_LLAMA.replace("\"hidden_size\": 64", "\"hidden_size\": 66"), "state it");
  }

  @Test
  void read_otherDataType_saysWhatIsKnown() {
    assertProblem(OLD_LLAMA.replace("\"float16\"", "\"float8\""), "dtype is \"float8\"", "float16");
  }

  @Test
  void read_missingKey_isNamed() {
    assertProblem(
        OLD_LLAMA.replace("num_hidden_layers", "num_hiden_layers"),
        "config.json: num_hidden_layers is missing; did you mean num_hiden_layers?");
  }

  /// Reads tiny checkpoints and counts the numbers in their weight files. Run with
  /// `-Dgolden.models=<folder of checkpoints>`.
  @Test
  void read_checkpoints_parametersAreThoseOfTheWeightFiles() throws IOException {
    Path folder = Path.of(System.getProperty("golden.models", ""));
    assumeThat(folder).as("the folder of -Dgolden.models").isDirectory();

    int checkpoints = 0;
    try (DirectoryStream<Path> models = Files.newDirectoryStream(folder)) {
      for (Path model : models) {
        assertThat(ModelProfiles.named(model.resolve("config.json").toString()).parameters())
            .as(model.toString())
            .isEqualTo(numbersIn(model));
        checkpoints++;
      }
    }
    assertThat(checkpoints).isPositive();
  }

  private static long numbersIn(Path model) throws IOException {
    long numbers = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(model, "*.safetensors")) {
      for (Path file : files) {
        numbers += numbersInFile(file);
      }
    }
    return numbers;
  }

  // A safetensors file begins with the length of its header, 8 bytes little-endian, and the header,
  // JSON.
  private static long numbersInFile(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      int length =
          Math.toIntExact(
              ByteBuffer.wrap(in.readNBytes(8)).order(ByteOrder.LITTLE_ENDIAN).getLong());
      long numbers = 0;
      for (JsonNode tensor : new ObjectMapper().readTree(in.readNBytes(length))) {
        if (tensor.has("shape")) {
          long product = 1;
          for (JsonNode size : tensor.get("shape")) {
            product *= size.longValue();
          }
          numbers += product;
        }
      }
      return numbers;
    }
  }

  private static ModelProfile parse(String json) {
    return JsonReader.parseSome(
        json, "config.json", reader -> ModelConfig.profile(reader, "folder"));
  }

  private static void assertProblem(String json, String... expected) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(ProfileException.class)
        .hasMessageContainingAll(expected);
  }
}
