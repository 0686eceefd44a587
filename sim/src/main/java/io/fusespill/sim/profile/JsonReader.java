package io.fusespill.sim.profile;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.fusespill.traces.JsonFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A JSON object read key by key; a key that nobody asked for is an error.
///
/// Every problem is a [ProfileException] that names the file and the key. Not thread-safe: an
/// object lives for one reading.
public final class JsonReader {

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private final JsonNode node;
  private final String prefix;
  private final Set<String> asked = new LinkedHashSet<>();
  private final List<JsonReader> children = new ArrayList<>();

  private JsonReader(JsonNode node, String prefix) {
    this.node = node;
    this.prefix = prefix;
  }

  /// Reads a whole file with `reader` and then insists that no key is left.
  public static <T> T read(Path file, Function<JsonReader, T> reader) {
    return parse(text(file), file.toString(), reader, true);
  }

  /// As [#read], from text; `source` names it in messages.
  public static <T> T parse(String text, String source, Function<JsonReader, T> reader) {
    return parse(text, source, reader, true);
  }

  /// As [#parse], for a foreign format of which only some keys matter.
  static <T> T parseSome(String text, String source, Function<JsonReader, T> reader) {
    return parse(text, source, reader, false);
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new ProfileException(
          Files.exists(file)
              ? "%s: cannot be read (%s)".formatted(file, e)
              : "no file %s".formatted(file),
          e);
    }
  }

  private static <T> T parse(
      String text, String source, Function<JsonReader, T> reader, boolean strict) {
    try {
      JsonReader root = new JsonReader(MAPPER.readTree(text), "");
      if (!root.node.isObject()) {
        throw new ProfileException("is not a JSON object");
      }
      T value = reader.apply(root);
      if (strict) {
        root.finish();
      }
      return value;
    } catch (JacksonException e) {
      throw new ProfileException(source + ": not JSON: " + JsonFault.of(e), e);
    } catch (ProfileException e) {
      throw new ProfileException(source + ": " + e.getMessage(), e);
    }
  }

  /// Whether the key is there and not null.
  public boolean has(String key) {
    return find(key) != null;
  }

  public String text(String key) {
    JsonNode value = get(key);
    if (!value.isTextual()) {
      throw problem(key, "is %s, must be a text in quotes".formatted(value));
    }
    return value.textValue();
  }

  public boolean flag(String key) {
    JsonNode value = get(key);
    if (!value.isBoolean()) {
      throw problem(key, "is %s, must be true or false".formatted(value));
    }
    return value.booleanValue();
  }

  public double number(String key) {
    JsonNode value = get(key);
    if (!value.isNumber()) {
      throw problem(key, "is %s, must be a number".formatted(value));
    }
    return value.doubleValue();
  }

  /// A whole number; `600e9` is one.
  public long whole(String key) {
    return whole(key, get(key));
  }

  /// As [#whole], for values that are counted rather than measured.
  public int count(String key) {
    long value = whole(key);
    if (value != (int) value) {
      throw problem(key, "is %d, must be at most %d".formatted(value, Integer.MAX_VALUE));
    }
    return (int) value;
  }

  /// A list `[first, second, …]` of whole numbers.
  public List<Long> wholes(String key) {
    List<Long> values = new ArrayList<>();
    for (JsonNode value : array(key)) {
      values.add(whole(key, value));
    }
    return values;
  }

  public List<String> texts(String key) {
    List<String> values = new ArrayList<>();
    for (JsonNode value : array(key)) {
      if (!value.isTextual()) {
        throw problem(key, "holds %s, must hold texts".formatted(value));
      }
      values.add(value.textValue());
    }
    return values;
  }

  public JsonReader object(String key) {
    return child(key, get(key));
  }

  public List<JsonReader> objects(String key) {
    List<JsonReader> values = new ArrayList<>();
    for (JsonNode value : array(key)) {
      values.add(child(key + "[" + values.size() + "]", value));
    }
    return values;
  }

  /// The texts of this object by key, in the order of `keys`; a key that is not among them is an
  /// error.
  public Map<String, String> textsOf(Collection<String> keys) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String key : keys) {
      if (has(key)) {
        values.put(key, text(key));
      }
    }
    return values;
  }

  /// A problem with the value of a key, to be thrown.
  public ProfileException problem(String key, String what) {
    return new ProfileException(prefix + key + " " + what);
  }

  private void finish() {
    for (String key : keys()) {
      if (!asked.contains(key)) {
        throw problem(key, "is not a key of this format%s".formatted(NearMatch.hint(key, asked)));
      }
    }
    children.forEach(JsonReader::finish);
  }

  private JsonNode get(String key) {
    JsonNode value = find(key);
    if (value == null) {
      throw problem(
          key,
          node.has(key)
              ? "is null, must have a value"
              : "is missing%s".formatted(NearMatch.typoHint(key, keys())));
    }
    return value;
  }

  private @Nullable JsonNode find(String key) {
    asked.add(key);
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? null : value;
  }

  private JsonNode array(String key) {
    JsonNode value = get(key);
    if (!value.isArray()) {
      throw problem(key, "is %s, must be a list".formatted(value));
    }
    return value;
  }

  private long whole(String key, JsonNode value) {
    if (value.isNumber()) {
      try {
        return value.decimalValue().longValueExact();
      } catch (ArithmeticException e) {
        throw problem(key, "is %s, must be a whole number below 2^63".formatted(value));
      }
    }
    throw problem(key, "is %s, must be a whole number".formatted(value));
  }

  private JsonReader child(String key, JsonNode value) {
    if (!value.isObject()) {
      throw problem(key, "is %s, must be an object".formatted(value));
    }
    JsonReader child = new JsonReader(value, prefix + key + ".");
    children.add(child);
    return child;
  }

  private List<String> keys() {
    List<String> keys = new ArrayList<>();
    node.fieldNames().forEachRemaining(keys::add);
    return keys;
  }
}
