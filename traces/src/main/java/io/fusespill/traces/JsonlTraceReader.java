package io.fusespill.traces;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A trace of one JSON object a line, in which a request may declare a length. Fields of no concern
/// are passed over without being built.
abstract class JsonlTraceReader extends FileTraceReader {

  /// What a request declares, whatever the format.
  static final String DECLARED = "declared_output_tokens";

  /// A field twice says two things of a request, of which neither can be chosen.
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final String arrivalField;
  private final ArrivalUnit arrivalUnit;
  private final String promptField;
  private final String outputField;

  private Row.@Nullable Arrival arrival;
  private int promptTokens;
  private int outputTokens;
  private int declaredOutputTokens;
  private String hashField = "";
  private int promptIds;
  private int tokensPerHash;
  private long[] prefixHashes = TraceRequest.NO_HASHES;

  JsonlTraceReader(
      LineReader lines,
      ReadOptions options,
      String arrivalField,
      ArrivalUnit arrivalUnit,
      String promptField,
      String outputField) {
    super(lines, options);
    this.arrivalField = arrivalField;
    this.arrivalUnit = arrivalUnit;
    this.promptField = promptField;
    this.outputField = outputField;
  }

  /// Takes a further field, on whose value `json` stands, or leaves it alone.
  void field(String name, JsonParser json) throws IOException {}

  /// The arrival of a row that names none; such a row is invalid unless the format says otherwise.
  Row.Arrival missingArrival() {
    throw missing(arrivalField);
  }

  /// The arrival on one clock for the whole file.
  Row.Arrival onOneClock(Row.Arrival arrival) {
    return arrival;
  }

  final void arrival(String name, JsonParser json, ArrivalUnit unit) throws IOException {
    arrival = Row.Arrival.parse(name, json.getText(), unit);
  }

  /// The last field of an object that is being written, or nothing where nothing is declared.
  static String declared(TraceRequest request) {
    return request.declares()
        ? ", \"%s\": %d".formatted(DECLARED, request.declaredOutputTokens())
        : "";
  }

  /// The prompt's parts, of any length.
  final void prefix(long[] hashes) {
    prefixHashes = hashes;
  }

  /// The prompt's parts, as `name` gives them: none, or one for each `tokens` tokens.
  final void prefix(String name, int tokens, long[] hashes) {
    hashField = name;
    tokensPerHash = hashes.length == 0 ? 0 : tokens;
    prefixHashes = hashes;
  }

  /// The prompt's parts, hashed from the ids of all its tokens.
  final void prefix(String name, int tokens, long[] hashes, int ids) {
    prefix(name, tokens, hashes);
    promptIds = ids;
  }

  /// The list of whole numbers on which `json` stands.
  static long[] numbers(String name, JsonParser json) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw new InvalidRowException(
          "%s is %s, must be a list of whole numbers".formatted(name, Excerpt.of(json.getText())));
    }
    long[] numbers = new long[16];
    int count = 0;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw new InvalidRowException(
            "%s holds %s, must be a list of whole numbers"
                .formatted(name, Excerpt.of(json.getText())));
      }
      numbers = count < numbers.length ? numbers : Arrays.copyOf(numbers, 2 * count);
      numbers[count++] = json.getLongValue();
    }
    return Arrays.copyOf(numbers, count);
  }

  @Override
  final Row parse(LineReader line) {
    arrival = null;
    promptTokens = 0;
    outputTokens = 0;
    declaredOutputTokens = 0;
    promptIds = 0;
    tokensPerHash = 0;
    prefixHashes = TraceRequest.NO_HASHES;
    try (JsonParser json = JSON.createParser(line.bytes(), line.offset(), line.length())) {
      readObject(json);
    } catch (JsonProcessingException e) {
      throw new InvalidRowException(
          "no JSON object, at character %d: %s"
              .formatted(e.getLocation().getColumnNr(), JsonFault.of(e)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return row();
  }

  private void readObject(JsonParser json) throws IOException {
    if (json.nextToken() != JsonToken.START_OBJECT) {
      throw new InvalidRowException(
          "no JSON object but \"%s\"".formatted(Excerpt.of(json.getText())));
    }
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      json.nextToken();
      take(name, json);
      json.skipChildren();
    }
    if (json.nextToken() != null) {
      throw new InvalidRowException(
          "a JSON object and then \"%s\"".formatted(Excerpt.of(json.getText())));
    }
  }

  private void take(String name, JsonParser json) throws IOException {
    if (name.equals(promptField)) {
      promptTokens = TokenCount.parse(name, json.getText());
    } else if (name.equals(outputField)) {
      outputTokens = TokenCount.parse(name, json.getText());
    } else if (name.equals(arrivalField)) {
      arrival(name, json, arrivalUnit);
    } else if (name.equals(DECLARED)) {
      declaredOutputTokens = TokenCount.parseDeclared(name, json.getText());
    } else {
      field(name, json);
    }
  }

  private Row row() {
    if (promptTokens == 0) {
      throw missing(promptField);
    }
    if (outputTokens == 0) {
      throw missing(outputField);
    }
    if (promptIds > 0 && promptIds != promptTokens) {
      throw new InvalidRowException(
          "%s holds %d ids of %d prompt tokens, must hold %d or be empty"
              .formatted(hashField, promptIds, promptTokens, promptTokens));
    }
    if (tokensPerHash > 0 && prefixHashes.length != Math.ceilDiv(promptTokens, tokensPerHash)) {
      throw new InvalidRowException(
          "%s of %d prompt tokens makes %d parts of %d tokens, must make %d or be empty"
              .formatted(
                  hashField,
                  promptTokens,
                  prefixHashes.length,
                  tokensPerHash,
                  Math.ceilDiv(promptTokens, tokensPerHash)));
    }
    return new Row(
        arrival == null ? missingArrival() : onOneClock(arrival),
        promptTokens,
        outputTokens,
        declaredOutputTokens,
        tokensPerHash,
        prefixHashes);
  }

  private static InvalidRowException missing(String field) {
    return new InvalidRowException("no field \"%s\"".formatted(field));
  }
}
