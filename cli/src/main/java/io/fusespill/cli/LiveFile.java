package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.journal.Durability;
import io.fusespill.traces.JsonFault;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// What `resume` needs beside the journal and the requests: `live.json`.
///
/// @param kvType how KV is stored
/// @param journal how events are kept
/// @param measured whether the run is a benchmark, whose pools are there from the beginning
/// @param threads of each place of cores that computes or attends
/// @param gpus the GPU of each other device
/// @param timeoutNanos after which a request is given up; 0 for never
record LiveFile(
    LoadedModel.Source source,
    ElementType kvType,
    Durability journal,
    boolean measured,
    Map<Integer, Integer> threads,
    Map<Integer, Integer> gpus,
    long timeoutNanos) {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String KV_TYPE = "kv_cache_dtype";
  private static final String JOURNAL = "journal";
  private static final String MEASURED = "measured";
  private static final String THREADS = "threads";
  private static final String GPUS = "gpus";
  private static final String TIMEOUT = "request_timeout_nanos";
  private static final int THREADS_MAX = 1_024;
  private static final int GPUS_MAX = 1_024;

  private static final List<String> KEYS =
      List.of(
          "model",
          "tokenizer",
          "load_format",
          "seed",
          "dtype",
          KV_TYPE,
          JOURNAL,
          MEASURED,
          THREADS,
          GPUS,
          TIMEOUT);

  ObjectNode toJson() {
    ObjectNode json = source.toJson();
    json.put(KV_TYPE, kvType.label());
    json.put(JOURNAL, journal.name().toLowerCase(Locale.ROOT));
    json.put(MEASURED, measured);
    json.set(THREADS, byPlace(threads));
    json.set(GPUS, byPlace(gpus));
    if (timeoutNanos > 0) {
      json.put(TIMEOUT, timeoutNanos);
    }
    return json;
  }

  private static ObjectNode byPlace(Map<Integer, Integer> numbers) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    numbers.forEach((place, number) -> json.put(String.valueOf(place), number));
    return json;
  }

  /// What a run's folder says of how to go on.
  ///
  /// @throws UsageException if it cannot be read, or something in it is missing, not known or not
  ///   legal
  static LiveFile read(RunDirectory directory) {
    try {
      JsonNode json = MAPPER.readTree(directory.live().toFile());
      for (Map.Entry<String, JsonNode> each : json.properties()) {
        ScenarioOptions.requireKnown("key of " + directory.live(), each.getKey(), KEYS);
      }
      return new LiveFile(
          LoadedModel.Source.of(json),
          constant(json, KV_TYPE, Arrays.asList(ElementType.values())),
          constant(json, JOURNAL, List.of(Durability.ASYNC, Durability.SYNC)),
          json.path(MEASURED).asBoolean(),
          numbers(required(json, THREADS), THREADS, 1, THREADS_MAX),
          numbers(json.path(GPUS), GPUS, 0, GPUS_MAX),
          json.has(TIMEOUT) ? timeout(json.get(TIMEOUT)) : 0);
    } catch (IOException e) {
      throw damaged(directory, JsonFault.of(e), e);
    } catch (IllegalArgumentException e) {
      throw damaged(directory, String.valueOf(e.getMessage()), e);
    }
  }

  private static long timeout(JsonNode nanos) {
    if (!nanos.isIntegralNumber() || !nanos.canConvertToLong() || nanos.longValue() < 1) {
      throw new IllegalArgumentException(
          "%s is %s, must be a whole number from 1".formatted(TIMEOUT, nanos));
    }
    return nanos.longValue();
  }

  private static UsageException damaged(RunDirectory directory, String fault, Exception cause) {
    return new UsageException(
        "%s cannot be read: %s; put it back from a copy, or start the run again"
            .formatted(directory.live(), fault),
        cause);
  }

  /// @throws IllegalArgumentException if the key is not there
  static JsonNode required(JsonNode json, String key) {
    if (!json.hasNonNull(key)) {
      throw new IllegalArgumentException("it lacks " + key);
    }
    return json.get(key);
  }

  /// The one of `legal` that a key names, in whatever case.
  ///
  /// @throws IllegalArgumentException if it names none of them
  static <E extends Enum<E>> E constant(JsonNode json, String key, List<E> legal) {
    String text = required(json, key).asText();
    for (E each : legal) {
      if (each.name().equalsIgnoreCase(text)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        "%s is \"%s\", must be %s"
            .formatted(
                key,
                text,
                legal.stream()
                    .map(each -> each.name().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(" or "))));
  }

  private static Map<Integer, Integer> numbers(JsonNode json, String key, int least, int most) {
    Map<Integer, Integer> numbers = new TreeMap<>();
    for (Map.Entry<String, JsonNode> each : json.properties()) {
      int place;
      try {
        place = Integer.parseInt(each.getKey());
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "%s has \"%s\", must be numbers of places".formatted(key, each.getKey()), e);
      }
      JsonNode number = each.getValue();
      if (!number.isInt() || number.intValue() < least || number.intValue() > most) {
        throw new IllegalArgumentException(
            "%s of place %d are %s, must be a whole number of %,d to %,d"
                .formatted(key, place, number, least, most));
      }
      numbers.put(place, number.intValue());
    }
    return numbers;
  }
}
