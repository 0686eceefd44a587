package io.fusespill.replay.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.sim.profile.NearMatch;
import io.fusespill.traces.TraceException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// An object of a specification, read key by key. Problems are gathered under their paths, and a
/// value that is missing or wrong reads as an empty one, so that the whole file is checked at once.
///
/// A key that nobody asked for is a problem. Not thread-safe: it lives for one reading.
final class SpecReader {

  private final JsonNode node;
  private final String path;
  private final List<String> problems;
  private final Set<String> asked = new LinkedHashSet<>();
  private final List<SpecReader> children = new ArrayList<>();

  /// @param path of the object, empty for the whole
  /// @param problems where they are gathered
  SpecReader(JsonNode node, String path, List<String> problems) {
    this.node = node;
    this.path = path;
    this.problems = problems;
  }

  boolean has(String key) {
    return find(key) != null;
  }

  /// A text; a number counts as one.
  String text(String key) {
    JsonNode value = find(key);
    if (value == null) {
      problem(key, "is missing" + NearMatch.hint(key, unasked()));
      return "";
    }
    return text(key, value);
  }

  String text(String key, String otherwise) {
    return has(key) ? text(key) : otherwise;
  }

  @Nullable String textOrNull(String key) {
    return has(key) ? text(key) : null;
  }

  boolean flag(String key) {
    JsonNode value = find(key);
    if (value != null && !value.isBoolean()) {
      problem(key, "is %s, must be true or false".formatted(value));
    }
    return value != null && value.booleanValue();
  }

  @Nullable Long wholeOrNull(String key) {
    JsonNode value = find(key);
    return value == null ? null : whole(key, value);
  }

  /// A number of 1 or more, or null.
  @Nullable Integer countOrNull(String key) {
    Long value = wholeOrNull(key);
    if (value != null && (value < 1 || value > Integer.MAX_VALUE)) {
      problem(key, "is %d, must be 1 to %,d".formatted(value, Integer.MAX_VALUE));
      return null;
    }
    return value == null ? null : value.intValue();
  }

  @Nullable Double numberOrNull(String key) {
    JsonNode value = find(key);
    if (value != null && !value.isNumber()) {
      problem(key, "is %s, must be a number".formatted(value));
      return null;
    }
    return value == null ? null : value.doubleValue();
  }

  double number(String key, double otherwise) {
    Double value = numberOrNull(key);
    return value == null ? otherwise : value;
  }

  /// A list of texts; empty where the key is not there.
  List<String> texts(String key) {
    List<String> values = new ArrayList<>();
    for (JsonNode value : list(key)) {
      values.add(text(key + "[" + values.size() + "]", value));
    }
    return values;
  }

  /// A list of whole numbers; empty where the key is not there.
  List<Long> wholes(String key) {
    List<Long> values = new ArrayList<>();
    for (JsonNode value : list(key)) {
      values.add(whole(key + "[" + values.size() + "]", value));
    }
    return values;
  }

  /// An object of texts by key; empty where the key is not there.
  SortedMap<String, String> textsByKey(String key) {
    SortedMap<String, String> values = new TreeMap<>();
    JsonNode value = find(key);
    if (value != null && !value.isObject()) {
      problem(key, "is %s, must be an object".formatted(value));
    } else if (value != null) {
      value.properties().forEach(e -> values.put(e.getKey(), text(key, e.getValue())));
    }
    return values;
  }

  /// A list of objects, at least one.
  List<SpecReader> objects(String key) {
    List<SpecReader> values = new ArrayList<>();
    for (JsonNode value : list(key)) {
      child(key + "[" + values.size() + "]", value, values);
    }
    if (values.isEmpty()) {
      problem(key, "is empty, must hold at least one" + NearMatch.hint(key, unasked()));
    }
    return values;
  }

  /// The object at a key, or an empty one.
  SpecReader object(String key) {
    List<SpecReader> values = new ArrayList<>();
    JsonNode value = find(key);
    if (value != null) {
      child(key, value, values);
    }
    return values.isEmpty()
        ? new SpecReader(JsonNodeFactory.instance.objectNode(), at(key), problems)
        : values.getFirst();
  }

  void problem(String key, String what) {
    problems.add(at(key) + " " + what);
  }

  /// A problem unless `name` is among the known ones.
  void requireKnown(String key, String what, String name, Collection<String> known) {
    if (!name.isEmpty() && !known.contains(name)) {
      problem(
          key,
          "names the unknown %s \"%s\"%s; known: %s"
              .formatted(what, name, NearMatch.hint(name, known), String.join(", ", known)));
    }
  }

  /// What `value` gives, or null with a problem where it refuses.
  <T> @Nullable T check(String key, Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException | TraceException e) {
      problems.add((key.isEmpty() ? path : at(key)) + ": " + e.getMessage());
      return null;
    }
  }

  /// Names every key that nobody asked for, here and below.
  void finish() {
    for (String key : unasked()) {
      problem(
          key,
          "is not a key here%s; known: %s"
              .formatted(NearMatch.hint(key, asked), String.join(", ", asked)));
    }
    children.forEach(SpecReader::finish);
  }

  private List<String> unasked() {
    List<String> keys = new ArrayList<>();
    node.fieldNames().forEachRemaining(keys::add);
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
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      problem(key, "is %s, must be a whole number".formatted(value));
      return 1;
    }
    return value.longValue();
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
