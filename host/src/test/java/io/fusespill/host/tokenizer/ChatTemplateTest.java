package io.fusespill.host.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.host.checkpoint.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Templates in the styles of the known models and chats, with what Jinja 3.1 makes of them under
/// the settings of transformers (`chat/expected.json`).
class ChatTemplateTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-11-26T12:00:00Z"), ZoneOffset.UTC);
  private static final String TOKENS = "\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\"}";
  private static final List<ChatMessage> HELLO = List.of(new ChatMessage("user", "Hello"));

  @TempDir private Path folder;

  private static String resource(String name) {
    try (InputStream in = ChatTemplateTest.class.getResourceAsStream("/chat/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<String> chats() throws IOException {
    List<String> names = new ArrayList<>();
    MAPPER.readTree(resource("expected.json")).fieldNames().forEachRemaining(names::add);
    return names;
  }

  @ParameterizedTest
  @MethodSource("chats")
  void chats_lookAsInTransformers(String name) throws IOException {
    String[] parts = name.split("/");
    JsonNode expected = MAPPER.readTree(resource("expected.json")).get(name);
    Map<String, Object> chat =
        MAPPER
            .readValue(
                resource("cases.json"), new TypeReference<Map<String, Map<String, Object>>>() {})
            .get(parts[1]);
    write("chat_template.jinja", resource(parts[0]));
    write("tokenizer_config.json", "{" + TOKENS + "}");
    List<Map<String, Object>> messages =
        MAPPER.convertValue(chat.remove("messages"), new TypeReference<>() {});
    boolean generate = (Boolean) chat.remove("add_generation_prompt");
    ChatTemplate template = ChatTemplate.open(folder, CLOCK);
    if (expected.has("error")) {
      assertThatThrownBy(() -> template.renderMaps(messages, generate, chat))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("does not accept the messages: " + expected.get("error").asText());
    } else {
      assertThat(template.renderMaps(messages, generate, chat))
          .isEqualTo(expected.get("text").asText());
    }
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  private String hello() {
    return ChatTemplate.open(folder, CLOCK).render(HELLO, true, Map.of());
  }

  @Test
  void template_isFoundWhereFoldersHaveIt() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"chat_template\":\"A{{ messages[0].content }}\"," + TOKENS + "}");
    assertThat(hello()).isEqualTo("AHello");
    write(
        "tokenizer_config.json",
        "{\"chat_template\":[{\"name\":\"tool_use\",\"template\":\"T\"},"
            + "{\"name\":\"default\",\"template\":\"B{{ eos_token }}\"}],"
            + TOKENS
            + "}");
    assertThat(hello()).isEqualTo("B</s>");
    write("chat_template.jinja", "C{{ bos_token }}\n");
    assertThat(hello()).isEqualTo("C<s>");
    Files.delete(folder.resolve("tokenizer_config.json"));
    assertThat(hello()).isEqualTo("C");
  }

  @Test
  void aFolderWithoutTemplate_isTold() throws IOException {
    assertThatThrownBy(this::hello)
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(
            "has no chat template: neither chat_template.jinja nor chat_template");
    write("tokenizer_config.json", "{" + TOKENS + "}");
    assertThatThrownBy(this::hello).hasMessageContaining("send the prompt as plain text");
    write("tokenizer_config.json", "{\"chat_template\":[{\"name\":\"rag\",\"template\":\"T\"}]}");
    assertThatThrownBy(this::hello).hasMessageContaining("templates named [rag]");
    write("tokenizer_config.json", "{\"chat_template\":7}");
    assertThatThrownBy(this::hello).hasMessageContaining("chat_template has NUMBER");
  }

  @Test
  void aWrongTemplate_isToldInOneLine() throws IOException {
    for (String source :
        List.of(
            "{% for m in messages %}",
            "{{ messages | nofilter }}",
            "{{ messages is nonsense }}",
            "{{ messages[0].content.nomethod() }}",
            "{% frobnicate %}",
            "{{ 1 + }}",
            "{% include 'x' %}",
            "{{ nofunction(1) }}")) {
      write("chat_template.jinja", source);
      assertThatThrownBy(this::hello)
          .as(source)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("chat_template.jinja")
          .extracting(Throwable::getMessage)
          .asString()
          .doesNotContain("\n");
    }
  }

  @Test
  void aLoop_isRunToItsEndOrTold() throws IOException {
    write("chat_template.jinja", "{% for i in range(0, 4000, 2) %}.{% endfor %}");
    assertThat(hello()).hasSize(2_000);
    write("chat_template.jinja", "{% for i in range(100000000) %}.{% endfor %}");
    assertThatThrownBy(this::hello)
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("chat_template.jinja, line 1")
        .hasMessageContaining("range has more than the legal 100,000 numbers");
  }

  @Test
  void variables_reachTheTemplate() throws IOException {
    write("chat_template.jinja", "{% if enable_thinking %}think{% else %}act{% endif %}");
    ChatTemplate template = ChatTemplate.open(folder, CLOCK);
    assertThat(template.render(HELLO, true, Map.of("enable_thinking", true))).isEqualTo("think");
    assertThat(template.render(HELLO, true, new LinkedHashMap<>())).isEqualTo("act");
  }
}
