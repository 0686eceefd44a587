package io.fusespill.host.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/// An object in a JSON file of a checkpoint's folder. What is wrong with it is told with the file,
/// the key, the value and what is legal.
public final class JsonFile {

  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final Pattern LOCATION = Pattern.compile(" \\((for|start) .*");

  private final String place;
  private final JsonNode object;

  private JsonFile(String place, JsonNode object) {
    this.place = place;
    this.object = object;
  }

  /// The object in `file`.
  ///
  /// @throws CheckpointException if it cannot be read, or is no JSON object
  public static JsonFile read(Path file) {
    try {
      return parse(Files.readAllBytes(file), file.toString());
    } catch (IOException e) {
      throw new CheckpointException("%s cannot be read: %s".formatted(file, e), e);
    }
  }

  static JsonFile parse(byte[] json, String place) {
    JsonNode node;
    try {
      node = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          "%s is not JSON (%s at byte %d); fetch the file again"
              .formatted(
                  place, fault(e), e.getLocation() == null ? 0 : e.getLocation().getByteOffset()),
          e);
    } catch (IOException e) {
      throw new CheckpointException("%s cannot be read: %s".formatted(place, e), e);
    }
    if (!node.isObject()) {
      throw new CheckpointException(
          "%s holds no JSON object; fetch the file again".formatted(place));
    }
    return new JsonFile(place, node);
  }

  /// The parser's words in one line, without where something began: it names a source that it does
  /// not show.
  public static String fault(JsonProcessingException e) {
    String line = e.getOriginalMessage().lines().findFirst().orElse("syntax error");
    return LOCATION.matcher(line).replaceFirst("");
  }

  /// The file's name, and the key that led here.
  public String place() {
    return place;
  }

  /// The value of `key`; a missing one and null are the same.
  public JsonNode get(String key) {
    JsonNode value = object.get(key);
    return value == null || value.isNull() ? MAPPER.missingNode() : value;
  }

  boolean has(String key) {
    return !get(key).isMissingNode();
  }

  /// What was read.
  JsonNode node() {
    return object;
  }

  /// The object under `key`; an empty one if it is missing.
  JsonFile child(String key) {
    JsonNode value = get(key);
    if (value.isMissingNode()) {
      return new JsonFile(place + " " + key, MAPPER.createObjectNode());
    }
    if (!value.isObject()) {
      throw wrong(key, value, "an object");
    }
    return new JsonFile(place + " " + key, value);
  }

  /// A whole number from 1 to `max`.
  int count(String key, int max) {
    JsonNode value = get(key);
    if (value.isMissingNode()) {
      throw new CheckpointException(
          "%s lacks %s, a whole number from 1 to %d".formatted(place, key, max));
    }
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < 1
        || value.intValue() > max) {
      throw wrong(key, value, "whole numbers from 1 to " + max);
    }
    return value.intValue();
  }

  int count(String key, int max, int missing) {
    return has(key) ? count(key, max) : missing;
  }

  /// A number above 0.
  double positive(String key) {
    JsonNode value = get(key);
    if (value.isMissingNode()) {
      throw new CheckpointException("%s lacks %s, a number above 0".formatted(place, key));
    }
    if (!value.isNumber() || !(value.doubleValue() > 0) || value.doubleValue() > 1e12) {
      throw wrong(key, value, "numbers above 0, to 1e12");
    }
    return value.doubleValue();
  }

  double positive(String key, double missing) {
    return has(key) ? positive(key) : missing;
  }

  boolean flag(String key, boolean missing) {
    JsonNode value = get(key);
    if (value.isMissingNode()) {
      return missing;
    }
    if (!value.isBoolean()) {
      throw wrong(key, value, "true, false");
    }
    return value.booleanValue();
  }

  String text(String key, String missing) {
    JsonNode value = get(key);
    if (value.isMissingNode()) {
      return missing;
    }
    if (!value.isTextual()) {
      throw wrong(key, value, "a text");
    }
    return value.textValue();
  }

  CheckpointException wrong(String key, JsonNode value, String legal) {
    String shown = value.toString();
    return new CheckpointException(
        "%s: %s is %s; legal: %s"
            .formatted(
                place, key, shown.length() > 80 ? shown.substring(0, 80) + "…" : shown, legal));
  }
}
