package io.fusespill.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.traces.JsonFault;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.LineReader;
import io.fusespill.traces.TraceException;
import io.fusespill.traces.TraceLimits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// Prompts as vLLM's custom datasets have them: a JSON object a line, with the text in `prompt` and
/// the length of the output in `output_tokens`; plain or gzip. Other fields are passed over.
public final class CustomDataset {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// @param skipped lines that were no request or too long
  public record Requests(List<SizedPrompt> prompts, long skipped) {}

  private CustomDataset() {}

  /// Whether the file's first line is an object with a prompt.
  public static boolean recognises(Path file) {
    try (LineReader lines = LineReader.open(file)) {
      return lines.advance() && MAPPER.readTree(lines.text()).path("prompt").isTextual();
    } catch (TraceException | JsonProcessingException e) {
      return false;
    }
  }

  /// The first requests that are not too long, in the order of the file.
  ///
  /// @param count at most; fewer where there are no more
  /// @param outputTokens of every request, 0 for what each line says
  /// @param skipInvalid whether lines that are no request are left out and counted
  /// @param progress hears how many there are
  /// @throws TraceException if the file cannot be read or a line is no request
  public static Requests read(
      Path file,
      Tokenizer tokenizer,
      int count,
      int outputTokens,
      LengthFilter lengths,
      boolean skipInvalid,
      IntConsumer progress) {
    List<SizedPrompt> prompts = new ArrayList<>();
    long skipped = 0;
    try (LineReader lines = LineReader.open(file)) {
      while (prompts.size() < count && lines.advance()) {
        SizedPrompt prompt;
        try {
          prompt = prompt(lines.text(), tokenizer, outputTokens);
        } catch (IllegalArgumentException e) {
          if (!skipInvalid) {
            throw new TraceException(
                "%s: %s; mend the line or leave such lines out with --skip-invalid"
                    .formatted(lines.place(), e.getMessage()),
                e);
          }
          prompt = null;
        }
        if (prompt == null
            || prompt.ids().size() > lengths.maxPromptTokens()
            || prompt.totalTokens() > lengths.maxTotalTokens()) {
          skipped++;
        } else {
          prompts.add(prompt);
          progress.accept(prompts.size());
        }
      }
    }
    return new Requests(prompts, skipped);
  }

  private static SizedPrompt prompt(String line, Tokenizer tokenizer, int outputTokens) {
    JsonNode row;
    try {
      row = MAPPER.readTree(line);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("is no JSON: " + JsonFault.of(e), e);
    }
    String text = row.path("prompt").textValue();
    if (text == null || text.isEmpty()) {
      throw new IllegalArgumentException("\"prompt\" must be text of one character and more");
    }
    int output = outputTokens > 0 ? outputTokens : tokens(row.get("output_tokens"));
    return new SizedPrompt(Ints.of(tokenizer.encode(text, true)), output);
  }

  private static int tokens(@Nullable JsonNode value) {
    if (value == null || value.isNull()) {
      throw new IllegalArgumentException(
          "\"output_tokens\" is not there; give all outputs one length with --output-len");
    }
    if (!value.canConvertToExactIntegral()
        || !value.canConvertToInt()
        || value.intValue() < 1
        || value.intValue() > TraceLimits.MAX_TOKENS) {
      throw new IllegalArgumentException(
          "\"output_tokens\" is %s, must be a whole number 1 to %d"
              .formatted(value, TraceLimits.MAX_TOKENS));
    }
    return value.intValue();
  }
}
