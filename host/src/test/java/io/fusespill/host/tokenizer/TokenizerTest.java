package io.fusespill.host.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.host.GoldenModels;
import io.fusespill.host.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TokenizerTest {

  private static final String BYTE_LEVEL = "llama3-gqa-ropescaled-tied-sharded";
  private static final String BYTE_FALLBACK = "llama2-mha";

  @TempDir private Path temp;

  static List<Path> models() {
    return GoldenModels.folders();
  }

  private static int[] ids(JsonNode ids) {
    return IntStream.range(0, ids.size()).map(i -> ids.get(i).asInt()).toArray();
  }

  @ParameterizedTest
  @MethodSource("models")
  void idsAndDecodes_areThoseOfTransformers(Path folder) {
    JsonNode expected = GoldenModels.expected(folder);
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      assertThat(expected.get("tokenizer")).isNotEmpty();
      for (JsonNode text : expected.get("tokenizer")) {
        int[] ids = ids(text.get("ids"));
        assertThat(tokenizer.encode(text.get("text").asText(), false)).isEqualTo(ids);
        assertThat(tokenizer.decode(ids, true)).isEqualTo(text.get("decoded").asText());
      }
      for (JsonNode text : expected.get("cases")) {
        int[] prompt = ids(text.get("prompt_ids"));
        assertThat(prompt[0]).isEqualTo(tokenizer.bosId().getAsInt());
        assertThat(tokenizer.encode(text.get("text").asText(), false))
            .isEqualTo(Arrays.copyOfRange(prompt, 1, prompt.length));
      }
    }
  }

  @Test
  void longTexts_areNotCut() {
    try (Tokenizer tokenizer = Tokenizer.open(GoldenModels.bundled(BYTE_LEVEL))) {
      String text = "The quick brown fox. ".repeat(2000);
      int[] ids = tokenizer.encode(text, true);
      assertThat(ids.length).isGreaterThan(10_000);
      assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
    }
  }

  @Test
  void specialTokens_areKnown() {
    try (Tokenizer tokenizer = Tokenizer.open(GoldenModels.bundled(BYTE_LEVEL))) {
      assertThat(tokenizer.bosId()).hasValue(0);
      assertThat(tokenizer.eosId()).hasValue(1);
      assertThat(tokenizer.isSpecial(1)).isTrue();
      assertThat(tokenizer.isSpecial(2)).isFalse();
      assertThat(tokenizer.addedId("<|eos|>")).hasValue(1);
      assertThat(tokenizer.addedId("nothing")).isEmpty();
      assertThat(tokenizer.encode("<|bos|>a", false)).startsWith(0);
      int[] withEnd = {66, 1};
      assertThat(tokenizer.decode(withEnd, true)).isEqualTo("a");
      assertThat(tokenizer.decode(withEnd, false)).isEqualTo("a<|eos|>");
    }
  }

  @Test
  void specialTokens_areAddedIfTheTokenizerSaysSo() throws IOException {
    Path folder = Files.createDirectories(temp.resolve("model"));
    JsonNode json =
        new ObjectMapper()
            .readTree(GoldenModels.bundled(BYTE_FALLBACK).resolve("tokenizer.json").toFile());
    ((ObjectNode) json)
        .set(
            "post_processor",
            new ObjectMapper()
                .readTree(
                    """
                    {"type": "TemplateProcessing",
                     "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                     "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
                     "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
                    """));
    Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      int[] with = tokenizer.encode("Hello", true);
      int[] without = tokenizer.encode("Hello", false);
      assertThat(with[0]).isEqualTo(1);
      assertThat(Arrays.copyOfRange(with, 1, with.length)).isEqualTo(without);
      assertThat(tokenizer.bosId()).isEmpty();
    }
  }

  @Test
  void whatIsMissingOrDamaged_isToldInOneLine() throws IOException {
    assertThatThrownBy(() -> Tokenizer.open(temp))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tokenizer.json is missing; take a folder that has it");
    Files.writeString(temp.resolve("tokenizer.model"), "");
    assertThatThrownBy(() -> Tokenizer.open(temp))
        .hasMessageContaining("tokenizer.model alone is not read");
    for (String text :
        List.of("{", "[]", "{}", "{\"model\": {\"type\": \"BPE\"}}", "{\"added_tokens\": [1]}")) {
      Files.writeString(temp.resolve("tokenizer.json"), text);
      assertThatThrownBy(() -> Tokenizer.open(temp))
          .as(text)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("tokenizer.json")
          .extracting(Throwable::getMessage)
          .asString()
          .doesNotContain("\n");
    }
  }
}
