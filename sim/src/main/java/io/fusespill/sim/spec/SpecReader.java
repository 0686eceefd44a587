package io.fusespill.sim.spec;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fusespill.sim.profile.NearMatch;
import io.fusespill.traces.JsonFault;
import io.fusespill.traces.TraceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// An object of a YAML or JSON file, read key by key. Problems are gathered under their paths, and
/// a value that is missing or wrong reads as an empty one, so that the whole file is checked at
/// once.
///
/// A key that nobody asked for is a problem. Not thread-safe: it lives for one reading.
public final class SpecReader {

  private static final YAMLMapper MAPPER =
      YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final JsonNode node;
  private final String path;
  private final List<String> problems;
  private final Set<String> asked = new LinkedHashSet<>();
  private final List<SpecReader> children = new ArrayList<>();

  /// The whole of a file.
  ///
  /// @param keys what it must have, for messages
  /// @throws SpecException if there is no such file, or no object in it
  public static SpecReader open(Path file, String keys) {
    try {
      JsonNode root = MAPPER.readTree(Files.readString(file));
      if (!root.isObject()) {
        throw new SpecException(file.toString(), List.of("must be an object with " + keys));
      }
      return new SpecReader(root, "", new ArrayList<>());
    } catch (JacksonException e) {
      throw new SpecException(
          "%s:%d: not YAML: %s"
              .formatted(
                  file, e.getLocation() == null ? 0 : e.getLocation().getLineNr(), JsonFault.of(e)),
          e);
    } catch (IOException e) {
      throw new SpecException(
          Files.exists(file)
              ? "%s: cannot be read (%s)".formatted(file, e)
              : "no file %s".formatted(file),
          e);
    }
  }

  /// @param path of the object, empty for the whole
  /// @param problems where they are gathered
  private SpecReader(JsonNode node, String path, List<String> problems) {
    this.node = node;
    this.path = path;
    this.problems = problems;
  }

  public boolean has(String key) {
    return find(key) != null;
  }

  /// A text; a number counts as one.
  public String text(String key) {
    JsonNode value = find(key);
    if (value == null) {
      problem(key, "is missing" + NearMatch.hint(key, unasked()));
      return "";
    }
    return text(key, value);
  }

  /// A name, which must be written as text: YAML takes `on` for true and `010` for 8.
  public String name(String key) {
    JsonNode value = find(key);
    if (value != null && value.isValueNode() && !value.isTextual()) {
      problem(key, "is read as %s, must be text: quote what is written".formatted(value));
      return "";
    }
    return text(key);
  }

  public String text(String key, String otherwise) {
    return has(key) ? text(key) : otherwise;
  }

  public @Nullable String textOrNull(String key) {
    return has(key) ? text(key) : null;
  }

  public boolean flag(String key) {
    JsonNode value = find(key);
    if (value != null && !value.isBoolean()) {
      problem(key, "is %s, must be true or false".formatted(value));
    }
    return value != null && value.booleanValue();
  }

  /// A whole number, or null; `25e9` is one.
  public @Nullable Long wholeOrNull(String key) {
    JsonNode value = find(key);
    return value == null ? null : whole(key, value);
  }

  /// A number of `min` to `max`, or null; one that is neither is a problem and reads as null.
  public @Nullable Long wholeOrNull(String key, long min, long max) {
    Long value = wholeOrNull(key);
    if (value != null && (value < min || value > max)) {
      problem(key, "is %d, must be %,d to %,d".formatted(value, min, max));
      return null;
    }
    return value;
  }

  /// A number of 1 or more, or null.
  public @Nullable Integer countOrNull(String key) {
    Long value = wholeOrNull(key, 1, Integer.MAX_VALUE);
    return value == null ? null : value.intValue();
  }

  /// A whole number of `min` to `max`; `otherwise` where the key is not there.
  public int within(String key, int otherwise, int min, int max) {
    Long value = wholeOrNull(key, min, max);
    return value == null ? otherwise : value.intValue();
  }

  public @Nullable Double numberOrNull(String key) {
    JsonNode value = find(key);
    if (value != null && !value.isNumber()) {
      problem(key, "is %s, must be a number".formatted(value));
      return null;
    }
    return value == null ? null : value.doubleValue();
  }

  public double number(String key, double otherwise) {
    Double value = numberOrNull(key);
    return value == null ? otherwise : value;
  }

  /// A list of texts; empty where the key is not there.
  public List<String> texts(String key) {
    List<String> values = new ArrayList<>();
    for (JsonNode value : list(key)) {
      values.add(text(key + "[" + values.size() + "]", value));
    }
    return values;
  }

  /// A list of whole numbers; empty where the key is not there.
  public List<Long> wholes(String key) {
    List<Long> values = new ArrayList<>();
    for (JsonNode value : list(key)) {
      values.add(whole(key + "[" + values.size() + "]", value));
    }
    return values;
  }

  /// A list of numbers; empty where the key is not there.
  public List<Double> numbers(String key) {
    List<Double> values = new ArrayList<>();
    for (JsonNode value : list(key)) {
      if (!value.isNumber()) {
        problem(key + "[" + values.size() + "]", "is %s, must be a number".formatted(value));
      }
      values.add(value.doubleValue());
    }
    return values;
  }

  /// An object of lists of texts by key; a text alone is a list of one. Empty where the key is not
  /// there.
  public SortedMap<String, List<String>> textListsByKey(String key) {
    SortedMap<String, List<String>> values = new TreeMap<>();
    SpecReader object = object(key);
    object.node.fieldNames().forEachRemaining(name -> values.put(name, object.textOrTexts(name)));
    return values;
  }

  private List<String> textOrTexts(String key) {
    JsonNode value = find(key);
    if (value == null || !value.isArray()) {
      return List.of(text(key));
    }
    if (value.isEmpty()) {
      problem(key, "is empty, must hold at least one");
    }
    return texts(key);
  }

  /// Keys of the object.
  public List<String> keys() {
    List<String> keys = new ArrayList<>();
    node.fieldNames().forEachRemaining(keys::add);
    return keys;
  }

  /// A list of objects; empty where the key is not there.
  public List<SpecReader> objectsIfAny(String key) {
    return has(key) ? objects(key) : List.of();
  }

  /// A list of objects, at least one.
  public List<SpecReader> objects(String key) {
    List<SpecReader> values = new ArrayList<>();
    int count = 0;
    for (JsonNode value : list(key)) {
      child(key + "[" + count + "]", value, values);
      count++;
    }
    if (count == 0) {
      problem(key, "is empty, must hold at least one" + NearMatch.hint(key, unasked()));
    }
    return values;
  }

  /// The object at a key, or an empty one.
  public SpecReader object(String key) {
    List<SpecReader> values = new ArrayList<>();
    JsonNode value = find(key);
    if (value != null) {
      child(key, value, values);
    }
    return values.isEmpty()
        ? new SpecReader(JsonNodeFactory.instance.objectNode(), at(key), problems)
        : values.getFirst();
  }

  public void problem(String key, String what) {
    problems.add(at(key) + " " + what);
  }

  /// A problem in somebody else's words.
  ///
  /// @param key empty for the object itself
  public void refused(String key, @Nullable String reason) {
    problems.add((key.isEmpty() ? path : at(key)) + ": " + reason);
  }

  /// A problem unless `name` is among the known ones.
  public void requireKnown(String key, String what, String name, Collection<String> known) {
    if (!name.isEmpty() && !known.contains(name)) {
      problem(
          key,
          "names the unknown %s \"%s\"%s; known: %s"
              .formatted(what, name, NearMatch.hint(name, known), String.join(", ", known)));
    }
  }

  /// What `value` gives, or null with a problem where it refuses.
  public <T> @Nullable T check(String key, Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException | TraceException | SpecException e) {
      refused(key, e.getMessage());
      return null;
    }
  }

  /// Whether no problem has been found so far, here or elsewhere in the file.
  public boolean sound() {
    return problems.isEmpty();
  }

  /// Names every key that nobody asked for, here and below; then it is known whether all is well.
  ///
  /// @param file for the message
  /// @throws SpecException with every problem that was found
  public void finish(Path file) {
    nameUnasked();
    if (!problems.isEmpty()) {
      throw new SpecException(file.toString(), problems);
    }
  }

  private void nameUnasked() {
    for (String key : unasked()) {
      problem(
          key,
          "is not a key here%s; known: %s"
              .formatted(NearMatch.hint(key, asked), String.join(", ", asked)));
    }
    children.forEach(SpecReader::nameUnasked);
  }

  private List<String> unasked() {
    List<String> keys = keys();
    keys.removeAll(asked);
    return keys;
  }

  private @Nullable JsonNode find(String key) {
    asked.add(key);
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? null : value;
  }

  private String text(String key, JsonNode value) {
    if (!value.isValueNode() || value.asText().isBlank()) {
      problem(key, "is %s, must be a text".formatted(value));
      return "";
    }
    return value.asText();
  }

  private long whole(String key, JsonNode value) {
    if (value.isNumber()) {
      try {
        return value.decimalValue().longValueExact();
      } catch (ArithmeticException | NumberFormatException e) {
        // No whole number.
      }
    }
    problem(key, "is %s, must be a whole number".formatted(value));
    return 1;
  }

  private Iterable<JsonNode> list(String key) {
    JsonNode value = find(key);
    if (value != null && !value.isArray()) {
      problem(key, "is %s, must be a list".formatted(value));
    }
    return value == null || !value.isArray() ? List.of() : value;
  }

  private void child(String key, JsonNode value, List<SpecReader> into) {
    if (!value.isObject()) {
      problem(key, "is %s, must be an object".formatted(value));
      return;
    }
    SpecReader child = new SpecReader(value, at(key), problems);
    children.add(child);
    into.add(child);
  }

  private String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
