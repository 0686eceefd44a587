package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.host.tokenizer.ChatMessage;
import io.fusespill.host.tokenizer.ChatTemplate;
import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.traces.JsonFault;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Chats of one user's message each, written as the model's template wants them.
final class ChatOptions {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Option(
      names = "--chat",
      paramLabel = "TEXT",
      description =
          "What a user says, put into the model's chat template; may be given again for more chats.")
  private List<String> chats = new ArrayList<>();

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "With --chat: the system's message before that of the user.")
  private @Nullable String system;

  @Option(
      names = "--chat-template",
      paramLabel = "FILE",
      description = "With --chat: a Jinja template in the place of the model's.")
  private @Nullable Path template;

  @Option(
      names = "--chat-template-kwargs",
      paramLabel = "JSON",
      description =
          "With --chat: an object of what else the template may ask for, for example '{\"enable_thinking\": false}'.")
  private @Nullable String variables;

  @SuppressWarnings("NullAway.Init") // picocli sets what is given
  ChatOptions() {}

  /// @throws UsageException if there are options for chats and no chat
  boolean isEmpty() {
    if (chats.isEmpty() && (system != null || template != null || variables != null)) {
      throw new UsageException(
          "--system, --chat-template and --chat-template-kwargs go with --chat, and there is none");
    }
    return chats.isEmpty();
  }

  /// The chats as the template writes them, up to where the assistant's answer begins.
  ///
  /// @throws UsageException if the template does not accept them
  /// @throws io.fusespill.host.checkpoint.CheckpointException if there is no template, or a wrong
  ///   one
  List<String> rendered(Tokenizer tokenizer) {
    if (chats.isEmpty()) {
      return List.of();
    }
    if (chats.contains("")) {
      throw new UsageException("a prompt is empty: give it at least one character");
    }
    Map<String, Object> asked = variables();
    ChatTemplate chatTemplate =
        template == null ? tokenizer.chatTemplate() : tokenizer.chatTemplate(template);
    List<String> rendered = new ArrayList<>();
    for (String chat : chats) {
      List<ChatMessage> messages = new ArrayList<>();
      if (system != null) {
        messages.add(new ChatMessage("system", system));
      }
      messages.add(new ChatMessage("user", chat));
      try {
        rendered.add(chatTemplate.render(messages, true, asked));
      } catch (IllegalArgumentException e) {
        throw new UsageException(e.getMessage(), e);
      }
    }
    return rendered;
  }

  private Map<String, Object> variables() {
    if (variables == null) {
      return Map.of();
    }
    try {
      Map<String, Object> object = MAPPER.readValue(variables, new TypeReference<>() {});
      if (object != null) {
        return object;
      }
      throw new UsageException("--chat-template-kwargs is null, must be a JSON object");
    } catch (JsonProcessingException e) {
      throw new UsageException(
          "--chat-template-kwargs is %s, must be a JSON object: %s"
              .formatted(variables, JsonFault.of(e)),
          e);
    }
  }
}
