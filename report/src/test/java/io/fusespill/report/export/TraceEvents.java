package io.fusespill.report.export;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A trace in the JSON trace event format, checked against what the format's description asks for:
/// fields by phase, names of processes and threads, order and nesting on each track.
final class TraceEvents {

  record Slice(String name, long fromNanos, long nanos, int depth, JsonNode arguments) {
    long untilNanos() {
      return fromNanos + nanos;
    }
  }

  private final Map<Integer, String> processes = new HashMap<>();
  private final Map<String, String> threads = new HashMap<>();
  private final Map<String, List<Slice>> slices = new LinkedHashMap<>();

  /// Where the newest slice of a track ends, start and duration added as floating point.
  private final Map<String, Double> ends = new HashMap<>();

  private final Map<String, Deque<Slice>> open = new HashMap<>();
  private final Map<String, Long> newest = new HashMap<>();
  private final Map<String, List<JsonNode>> instants = new LinkedHashMap<>();
  private final Map<String, List<JsonNode>> counters = new LinkedHashMap<>();
  private final Set<String> used = new HashSet<>();
  private final Set<String> sorted = new HashSet<>();

  private TraceEvents() {}

  static TraceEvents read(InputStream in) throws IOException {
    JsonNode trace = new ObjectMapper().readTree(in);
    assertThat(trace.path("displayTimeUnit").asText()).isIn("ms", "ns");
    assertThat(trace.path("traceEvents").isArray()).isTrue();
    TraceEvents events = new TraceEvents();
    trace.get("traceEvents").forEach(events::take);
    for (String track : events.used) {
      assertThat(events.threads).as("name of track %s", track).containsKey(track);
      assertThat(events.sorted).as("tracks that say where they stand").contains(track);
    }
    for (String counter : events.counters.keySet()) {
      assertThat(events.processes).containsKey(Integer.parseInt(counter.split("/")[0]));
    }
    return events;
  }

  private void take(JsonNode event) {
    String line = event.toString();
    assertThat(event.path("name").asText()).as(line).isNotEmpty();
    assertThat(event.path("pid").isIntegralNumber()).as(line).isTrue();
    assertThat(event.path("args").isValueNode()).as(line).isFalse();
    String track = event.get("pid").asInt() + "/" + event.path("tid").asInt();
    String phase = event.path("ph").asText();
    switch (phase) {
      case "M" -> metadata(event, track);
      case "X" -> {
        use(event, track);
        slice(track, event, line);
      }
      case "i" -> {
        use(event, track);
        assertThat(event.path("s").asText("t")).as(line).isIn("g", "p", "t");
        nanos(event, "ts");
        instants.computeIfAbsent(track, key -> new ArrayList<>()).add(event);
      }
      case "C" -> {
        String counter = event.get("pid").asInt() + "/" + event.get("name").asText();
        event.get("args").forEach(value -> assertThat(value.isNumber()).as(line).isTrue());
        assertThat(event.get("args")).as(line).isNotEmpty();
        inOrder("counter " + counter, nanos(event, "ts"), line);
        counters.computeIfAbsent(counter, key -> new ArrayList<>()).add(event);
      }
      default -> throw new AssertionError("no phase '%s': %s".formatted(phase, line));
    }
  }

  private void use(JsonNode event, String track) {
    assertThat(event.path("tid").isIntegralNumber()).as("%s", event).isTrue();
    used.add(track);
  }

  private void metadata(JsonNode event, String track) {
    JsonNode arguments = event.get("args");
    assertThat(event.has("tid")).isEqualTo(event.get("name").asText().startsWith("thread"));
    switch (event.get("name").asText()) {
      case "process_name" ->
          assertThat(processes.put(event.get("pid").asInt(), arguments.get("name").asText()))
              .isNull();
      case "thread_name" -> assertThat(threads.put(track, arguments.get("name").asText())).isNull();
      case "thread_sort_index" -> {
        assertThat(arguments.path("sort_index").isIntegralNumber()).isTrue();
        sorted.add(track);
      }
      case "process_sort_index" ->
          assertThat(arguments.path("sort_index").isIntegralNumber()).isTrue();
      default -> throw new AssertionError("no such metadata: " + event);
    }
  }

  /// A slice begins where the one before it ends or later, or lies within one that is still open.
  private void slice(String track, JsonNode event, String line) {
    long from = nanos(event, "ts");
    long written = nanos(event, "dur");
    long nanos = written == 0 ? 0 : written + 1;
    inOrder("slices " + track, from, line);
    Deque<Slice> stack = open.computeIfAbsent(track, key -> new ArrayDeque<>());
    while (!stack.isEmpty() && stack.peek().untilNanos() <= from) {
      stack.pop();
      assertThat(ends.get(track)).as("as readers add it: %s", line).isLessThanOrEqualTo(ts(event));
    }
    ends.put(track, ts(event) + event.get("dur").doubleValue());
    if (!stack.isEmpty()) {
      assertThat(from + nanos)
          .as("overlaps %s: %s", stack.peek(), line)
          .isLessThanOrEqualTo(stack.peek().untilNanos());
    }
    Slice slice =
        new Slice(event.get("name").asText(), from, nanos, stack.size(), event.path("args"));
    stack.push(slice);
    slices.computeIfAbsent(track, key -> new ArrayList<>()).add(slice);
  }

  private void inOrder(String what, long nanos, String line) {
    Long before = newest.put(what, nanos);
    assertThat(nanos).as(line).isGreaterThanOrEqualTo(before == null ? 0 : before);
  }

  private static double ts(JsonNode event) {
    return event.get("ts").doubleValue();
  }

  /// Microseconds with at most three decimals.
  private static long nanos(JsonNode event, String field) {
    assertThat(event.path(field).isNumber()).as("%s of %s", field, event).isTrue();
    long nanos = event.get(field).decimalValue().movePointRight(3).longValueExact();
    assertThat(nanos).isNotNegative();
    return nanos;
  }

  Map<Integer, String> processes() {
    return processes;
  }

  /// Slices of the tracks whose name is the pattern `thread`, in processes whose name begins so.
  List<Slice> slices(String process, String thread) {
    List<Slice> found = new ArrayList<>();
    slices.forEach((track, list) -> {
      if (isNamed(track, process, thread)) {
        found.addAll(list);
      }
    });
    return found;
  }

  List<JsonNode> instants(String process, String thread) {
    List<JsonNode> found = new ArrayList<>();
    instants.forEach((track, list) -> {
      if (isNamed(track, process, thread)) {
        found.addAll(list);
      }
    });
    return found;
  }

  List<JsonNode> counter(String process, String name) {
    List<JsonNode> found = new ArrayList<>();
    counters.forEach((counter, list) -> {
      String[] parts = counter.split("/", 2);
      if (parts[1].equals(name) && processes.get(Integer.parseInt(parts[0])).startsWith(process)) {
        found.addAll(list);
      }
    });
    return found;
  }

  private boolean isNamed(String track, String process, String thread) {
    return processes.get(Integer.parseInt(track.split("/")[0])).startsWith(process)
        && threads.get(track).matches(thread);
  }
}
