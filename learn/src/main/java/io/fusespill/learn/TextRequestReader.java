package io.fusespill.learn;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.fusespill.traces.JsonFault;
import io.fusespill.traces.LineReader;
import io.fusespill.traces.TraceException;
import io.fusespill.traces.TraceLimits;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/// Requests with text from a file of one JSON object a line, plain or gzip.
///
/// A prompt is in `prompt`, in `question`, or in `instruction` with its `input`; the output's
/// length in `output_tokens`, or else it is estimated from the text in `output`, `response` or
/// `answer`. `prompt_tokens` and `arrival` (seconds) may be there; other fields are passed over.
/// Throws [TraceException] where the file cannot be read or a row is no such request.
public final class TextRequestReader implements Iterator<TextRequest>, AutoCloseable {

  private static final List<String> PROMPTS = List.of("prompt", "question", "instruction");
  private static final List<String> OUTPUTS = List.of("output", "response", "answer");
  private static final String OUTPUT_TOKENS = "output_tokens";
  private static final String PROMPT_TOKENS = "prompt_tokens";
  private static final String ARRIVAL = "arrival";
  private static final int SECOND_DIGITS = 9;
  private static final int EXCERPT_CHARACTERS = 120;

  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build()
          .reader();

  private final LineReader lines;
  private final boolean skipInvalid;
  private @Nullable TextRequest next;
  private boolean empty = true;
  private long skipped;
  private String skippedReason = "";

  private TextRequestReader(LineReader lines, boolean skipInvalid) {
    this.lines = lines;
    this.skipInvalid = skipInvalid;
  }

  /// @param skipInvalid whether rows that are no request are counted and skipped
  public static TextRequestReader open(Path file, boolean skipInvalid) {
    return new TextRequestReader(LineReader.open(file), skipInvalid);
  }

  @Override
  public boolean hasNext() {
    while (next == null && lines.advance()) {
      empty = false;
      next = read();
    }
    if (empty) {
      throw new TraceException(
          "%s: holds no row, must hold JSON objects with \"prompt\" and \"output\", one a line"
              .formatted(lines.file()));
    }
    return next != null;
  }

  @Override
  public TextRequest next() {
    if (!hasNext() || next == null) {
      throw new NoSuchElementException("%s is at its end".formatted(lines.file()));
    }
    TextRequest request = next;
    next = null;
    return request;
  }

  /// Where the reader stands, as messages begin.
  String place() {
    return lines.place();
  }

  /// Rows that were no request.
  public long skipped() {
    return skipped;
  }

  /// Where and why the first of them was skipped; empty while none was.
  public String skippedReason() {
    return skippedReason;
  }

  private @Nullable TextRequest read() {
    try {
      return request(JSON.readTree(lines.text()));
    } catch (JsonProcessingException e) {
      return invalid(
          lines.text().strip().startsWith("[")
              ? "begins a JSON list, must be one JSON object a line (jq -c '.[]' makes such lines)"
              : "no JSON object: " + JsonFault.of(e));
    } catch (IllegalArgumentException e) {
      return invalid(String.valueOf(e.getMessage()));
    }
  }

  private @Nullable TextRequest invalid(String reason) {
    String message = "%s: %s".formatted(lines.place(), reason);
    if (!skipInvalid) {
      throw new TraceException(
          message + "; mend the row or leave such rows out with --skip-invalid");
    }
    if (skipped++ == 0) {
      skippedReason = message;
    }
    return null;
  }

  private static TextRequest request(JsonNode row) {
    if (!row.isObject()) {
      throw new IllegalArgumentException("no JSON object but %s".formatted(excerpt(row)));
    }
    String prompt = prompt(row);
    return new TextRequest(
        prompt,
        row.has(PROMPT_TOKENS) ? tokens(row, PROMPT_TOKENS) : TokenEstimate.of(prompt),
        row.has(OUTPUT_TOKENS)
            ? tokens(row, OUTPUT_TOKENS)
            : TokenEstimate.of(text(row, field(row, OUTPUTS, "or \"" + OUTPUT_TOKENS + "\""))),
        row.has(ARRIVAL) ? nanos(row.get(ARRIVAL)) : null);
  }

  private static String prompt(JsonNode row) {
    String field = field(row, PROMPTS, "");
    String prompt = text(row, field);
    if (field.equals("instruction") && row.path("input").isTextual()) {
      prompt = "%s\n%s".formatted(prompt, row.get("input").textValue());
    }
    if (prompt.isBlank()) {
      throw new IllegalArgumentException("%s is blank, must be text".formatted(field));
    }
    return prompt;
  }

  private static String field(JsonNode row, List<String> names, String otherwise) {
    return names.stream()
        .filter(row::has)
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "no field \"%s\" %s".formatted(String.join("\", \"", names), otherwise).strip()));
  }

  private static String text(JsonNode row, String field) {
    JsonNode value = row.get(field);
    if (!value.isTextual()) {
      throw new IllegalArgumentException("%s is %s, must be text".formatted(field, excerpt(value)));
    }
    return value.textValue();
  }

  private static int tokens(JsonNode row, String field) {
    JsonNode value = row.get(field);
    if (!value.canConvertToExactIntegral()
        || !value.canConvertToInt()
        || value.intValue() < 1
        || value.intValue() > TraceLimits.MAX_TOKENS) {
      throw new IllegalArgumentException(
          "%s is %s, must be a whole number 1 to %d"
              .formatted(field, excerpt(value), TraceLimits.MAX_TOKENS));
    }
    return value.intValue();
  }

  private static long nanos(JsonNode value) {
    if (value.isNumber()) {
      BigDecimal seconds = value.decimalValue();
      // Asked before anything is computed: 1e999999999 is short text and a number of a gigabyte.
      if (seconds.signum() == 0) {
        return 0;
      }
      if (seconds.signum() > 0
          && (long) seconds.precision() - seconds.scale() < SECOND_DIGITS + 1) {
        return seconds
            .movePointRight(SECOND_DIGITS)
            .setScale(0, RoundingMode.HALF_UP)
            .longValueExact();
      }
    }
    throw new IllegalArgumentException(
        "%s is %s, must be seconds, 0 to 1000000000".formatted(ARRIVAL, excerpt(value)));
  }

  private static String excerpt(JsonNode value) {
    String text = value.toString();
    return text.length() <= EXCERPT_CHARACTERS ? text : text.substring(0, EXCERPT_CHARACTERS) + "…";
  }

  @Override
  public void close() {
    lines.close();
  }
}
