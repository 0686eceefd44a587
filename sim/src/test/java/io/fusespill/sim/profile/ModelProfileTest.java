package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelProfileTest {

  // Parameters as the checkpoints' safetensors indexes state them; KV a token = 2 · layers ·
  // kvHeads · headDim · 2
  // bytes, by hand.
  @ParameterizedTest
  @CsvSource({
    "vicuna-7b, 6738415616, 524288",
    "vicuna-13b, 13015864320, 819200",
    "baichuan-7b, 7000559616, 524288",
    "aquila-7b, 7295537152, 524288",
    "llama-2-7b, 6738415616, 524288",
    "llama-2-13b, 13015864320, 819200",
    "llama-2-70b, 68976648192, 327680",
    "llama-3.1-8b, 8030261248, 131072",
    "llama-3.1-70b, 70553706496, 327680",
    "mistral-7b, 7241732096, 131072",
    "qwen2.5-7b, 7615616512, 57344",
    "qwen3-0.6b, 596049920, 114688",
    "qwen3-8b, 8190735360, 147456",
  })
  void bundled_parametersAndKvAreThePublished(String name, long parameters, long kvBytesPerToken) {
    ModelProfile model = ModelProfiles.named(name);

    assertThat(model.name()).isEqualTo(name);
    assertThat(model.source()).isNotBlank();
    assertThat(model.parameters()).isEqualTo(parameters);
    assertThat(model.weightBytes()).isEqualTo(2 * parameters);
    assertThat(model.kvBytesPerToken()).isEqualTo(kvBytesPerToken);
    assertThat(model.kvBytesPerBlock(16)).isEqualTo(16 * kvBytesPerToken);
  }

  @Test
  void names_areTheFilesOfTheFolder() throws Exception {
    assertThat(ModelProfiles.names())
        .containsExactlyInAnyOrderElementsOf(Resources.names("/io/fusespill/sim/models"));
  }

  // 32 layers of (2·4096·(4096 + 4096) + 3·4096·11008) = 32 · 202,375,168; head 32,000 · 4,096; a
  // pair costs 4 · 32
  // layers · 32 heads · 128.
  @Test
  void llama2_partsAreTheHandCount() {
    ModelProfile model = ModelProfiles.named("llama-2-7b");

    assertThat(model.linearParameters()).isEqualTo(6_476_005_376L);
    assertThat(model.headParameters()).isEqualTo(131_072_000L);
    assertThat(model.attentionFlopsPerPair()).isEqualTo(524_288L);
  }

  // All four attention biases 4 + 2 + 2 + 4, MLP biases 6 + 6 + 4, one layer.
  @Test
  void parameters_biases_areCounted() {
    long without = tiny(false, false).parameters();

    assertThat(tiny(true, false).parameters()).isEqualTo(without + 12);
    assertThat(tiny(false, true).parameters()).isEqualTo(without + 16);
  }

  @Test
  void new_headsNotShared_isAnError() {
    assertThatThrownBy(() ->
            new ModelProfile(
                "x",
                Architecture.LLAMA,
                1,
                6,
                3,
                2,
                2,
                6,
                10,
                8,
                false,
                false,
                false,
                DataType.FLOAT16,
                ""))
        .isInstanceOf(ProfileException.class)
        .hasMessage("num_key_value_heads is 2, must divide num_attention_heads (3)");
  }

  @Test
  void read_absurdSizes_areErrorsAndNotOverflows() {
    String json = Resources.text("/io/fusespill/sim/models/vicuna-7b.json");

    assertThatThrownBy(() -> parse(json.replace("\"head_dim\": 128", "\"head_dim\": 4194304")))
        .hasMessageContaining("num_attention_heads x head_dim is 134217728, must be 1 to 4194304");
    assertThatThrownBy(() -> parse(json.replace("_layers\": 32", "_layers\": 5000")))
        .hasMessageContaining("num_hidden_layers is 5000, must be 1 to 4096");
    assertThatThrownBy(() -> parse(json.replace("_size\": 4096", "_size\": 0")))
        .hasMessageContaining("hidden_size is 0");
  }

  private static ModelProfile parse(String json) {
    return JsonReader.parse(json, "test.json", reader -> ModelConfig.profile(reader, ""));
  }

  private static ModelProfile tiny(boolean attentionBias, boolean mlpBias) {
    return new ModelProfile(
        "tiny",
        Architecture.LLAMA,
        1,
        4,
        2,
        1,
        2,
        6,
        10,
        8,
        false,
        attentionBias,
        mlpBias,
        DataType.FLOAT16,
        "");
  }
}
