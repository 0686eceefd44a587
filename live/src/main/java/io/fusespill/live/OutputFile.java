package io.fusespill.live;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.tokenizer.TextStream;
import io.fusespill.host.tokenizer.Tokenizer;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What became of a run's requests, as JSON lines: one a sample, in order of the requests, and one
/// for each request that was turned away.
public final class OutputFile {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private OutputFile() {}

  /// Writes all outputs, or nothing.
  ///
  /// @param requests whose outputs they are, by number
  /// @param tokenizer for the text; null where there is none
  public static void write(
      Path file, List<TextRequest> requests, List<Output> outputs, @Nullable Tokenizer tokenizer) {
    Path temporary = file.resolveSibling(file.getFileName() + ".next");
    try {
      try (BufferedWriter out = Files.newBufferedWriter(temporary, StandardCharsets.UTF_8)) {
        for (Output output : outputs) {
          write(output, requests.get(output.request()), tokenizer, out);
        }
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write %s: %s".formatted(file, e), e);
    }
  }

  private static void write(
      Output output, TextRequest request, @Nullable Tokenizer tokenizer, BufferedWriter out)
      throws IOException {
    if (output.rejection() != null) {
      ObjectNode json = MAPPER.createObjectNode();
      json.put("request", output.request());
      json.put("rejected", output.rejection().name().toLowerCase(Locale.ROOT));
      out.write(MAPPER.writeValueAsString(json));
      out.write('\n');
    }
    for (Output.Sample sample : output.samples()) {
      ObjectNode json = MAPPER.createObjectNode();
      json.put("request", output.request());
      json.put("sample", sample.sample());
      json.put("finish_reason", sample.reason().name().toLowerCase(Locale.ROOT));
      ArrayNode ids = json.putArray("token_ids");
      for (int i = 0; i < sample.tokens().size(); i++) {
        ids.add(sample.tokens().get(i));
      }
      if (tokenizer != null) {
        json.put("text", text(sample.tokens(), request, tokenizer));
      }
      out.write(MAPPER.writeValueAsString(json));
      out.write('\n');
    }
  }

  /// The text up to where a stop string begins.
  private static String text(Ints tokens, TextRequest request, Tokenizer tokenizer) {
    TextStream stream = request.text(tokenizer);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < tokens.size(); i++) {
      text.append(stream.add(tokens.get(i)));
    }
    return text.append(stream.finish()).toString();
  }
}
