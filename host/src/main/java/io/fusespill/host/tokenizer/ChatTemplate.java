package io.fusespill.host.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import io.fusespill.host.checkpoint.CheckpointException;
import io.fusespill.host.checkpoint.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a model wants chats to be written: the Jinja template of its folder, rendered as
/// transformers renders it. Safe for any number of threads.
public final class ChatTemplate {

  private static final String FILE = "chat_template.jinja";
  private static final String CONFIG = "tokenizer_config.json";
  private static final List<String> SPECIAL_TOKENS =
      List.of("bos_token", "eos_token", "unk_token", "pad_token");

  private final String place;
  private final String source;
  private final Map<String, Object> specialTokens;
  private final Jinja jinja;

  private ChatTemplate(
      String place, String source, Map<String, Object> specialTokens, Clock clock) {
    this.place = place;
    this.source = source;
    this.specialTokens = specialTokens;
    this.jinja = new Jinja(clock);
  }

  /// The template of a folder: `chat_template.jinja`, or else `chat_template` in
  /// `tokenizer_config.json`, of several the one named default.
  ///
  /// @throws CheckpointException if there is none
  public static ChatTemplate open(Path folder) {
    return open(folder, Clock.system(ZoneId.systemDefault()));
  }

  /// @param clock tells templates that ask for it the date
  static ChatTemplate open(Path folder, Clock clock) {
    Path file = folder.resolve(FILE);
    Path configFile = folder.resolve(CONFIG);
    JsonFile config = Files.isRegularFile(configFile) ? JsonFile.read(configFile) : null;
    Map<String, Object> specialTokens = specialTokens(config);
    if (Files.isRegularFile(file)) {
      return of(file, specialTokens, clock);
    }
    JsonNode template = config == null ? null : config.get("chat_template");
    if (template == null || template.isMissingNode()) {
      throw new CheckpointException(
          "%s has no chat template: neither %s nor chat_template in %s; name a template with --chat-template, or send the prompt as plain text with --prompt"
              .formatted(folder, FILE, CONFIG));
    }
    return new ChatTemplate(
        configFile + " chat_template", source(configFile, template), specialTokens, clock);
  }

  /// A template of its own, with the special tokens of a folder.
  ///
  /// @throws CheckpointException if the file cannot be read
  public static ChatTemplate of(Path file, Path folder) {
    Path config = folder.resolve(CONFIG);
    return of(
        file,
        specialTokens(Files.isRegularFile(config) ? JsonFile.read(config) : null),
        Clock.system(ZoneId.systemDefault()));
  }

  private static ChatTemplate of(Path file, Map<String, Object> specialTokens, Clock clock) {
    try {
      return new ChatTemplate(file.toString(), Files.readString(file), specialTokens, clock);
    } catch (IOException e) {
      throw new CheckpointException("%s cannot be read: %s".formatted(file, e), e);
    }
  }

  private static String source(Path file, JsonNode template) {
    if (template.isTextual()) {
      return template.textValue();
    }
    List<String> names = new ArrayList<>();
    for (JsonNode named : template) {
      if (named.path("name").asText().equals("default") && named.path("template").isTextual()) {
        return named.path("template").textValue();
      }
      names.add(named.path("name").asText());
    }
    throw new CheckpointException(
        "%s: chat_template has %s; legal: a text, or a list of templates with one named default"
            .formatted(
                file, names.isEmpty() ? template.getNodeType() : "templates named " + names));
  }

  private static Map<String, Object> specialTokens(@Nullable JsonFile config) {
    Map<String, Object> tokens = new LinkedHashMap<>();
    if (config != null) {
      for (String key : SPECIAL_TOKENS) {
        String text = tokenText(config.get(key));
        if (!text.isEmpty()) {
          tokens.put(key, text);
        }
      }
    }
    return tokens;
  }

  /// A special token as configurations have it, a text or an object with its content; empty if
  /// neither.
  static String tokenText(JsonNode token) {
    return token.isObject() ? token.path("content").asText() : token.asText();
  }

  /// The chat as a prompt, with the special tokens as text.
  ///
  /// @param addGenerationPrompt whether it ends where the assistant's answer begins
  /// @param variables what else the template may ask for, such as `enable_thinking`; empty as a
  ///   rule
  /// @throws IllegalArgumentException if the template does not accept the messages
  /// @throws CheckpointException if the template is wrong, or uses what is not supported
  public String render(
      List<ChatMessage> messages, boolean addGenerationPrompt, Map<String, Object> variables) {
    List<Map<String, Object>> maps = new ArrayList<>();
    for (ChatMessage message : messages) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("role", message.role());
      map.put("content", message.content());
      maps.add(map);
    }
    return renderMaps(maps, addGenerationPrompt, variables);
  }

  String renderMaps(
      List<Map<String, Object>> messages,
      boolean addGenerationPrompt,
      Map<String, Object> variables) {
    Map<String, Object> bindings = new LinkedHashMap<>(specialTokens);
    bindings.putAll(variables);
    bindings.put("messages", messages);
    bindings.put("add_generation_prompt", addGenerationPrompt);
    RenderResult result = jinja.render(source, bindings);
    if (!result.getErrors().isEmpty()) {
      throw failed(result.getErrors());
    }
    return result.getOutput();
  }

  private RuntimeException failed(List<TemplateError> errors) {
    for (TemplateError error : errors) {
      for (Throwable cause = error.getException(); cause != null; cause = cause.getCause()) {
        if (cause instanceof Jinja.RaisedException raised) {
          return new IllegalArgumentException(
              "%s does not accept the messages: %s".formatted(place, raised.getMessage()));
        }
        if (cause instanceof CheckpointException refused) {
          return wrong(error, String.valueOf(refused.getMessage()));
        }
      }
    }
    TemplateError first = errors.getFirst();
    return wrong(
        first, first.getMessage().lines().findFirst().orElse(first.getReason().toString()));
  }

  private CheckpointException wrong(TemplateError error, String message) {
    return new CheckpointException(
        "%s%s: %s; correct the template, or send the prompt as plain text"
            .formatted(place, error.getLineno() > 0 ? ", line " + error.getLineno() : "", message));
  }
}
