package io.fusespill.sim.profile;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What connects a device to its host: effective rates of pinned copies, not the wire's.
///
/// @param toDeviceBytesPerSecond host to device
/// @param fromDeviceBytesPerSecond device to host
/// @param copyNanos fixed time of one copy, whatever its size
/// @param allReduceNanos fixed time of one all-reduce between cards that meet in host memory
/// @param sources where each number is from, by the key of the JSON file
public record LinkProfile(
    String name,
    String description,
    long toDeviceBytesPerSecond,
    long fromDeviceBytesPerSecond,
    long copyNanos,
    long allReduceNanos,
    Map<String, String> sources) {

  /// Keys of the JSON file that hold numbers and so have a source.
  static final List<String> NUMBERS =
      List.of("toDeviceBytesPerSecond", "fromDeviceBytesPerSecond", "copyNanos", "allReduceNanos");

  public LinkProfile {
    Check.text("name", name);
    Check.range("toDeviceBytesPerSecond", toDeviceBytesPerSecond, 1, Long.MAX_VALUE);
    Check.range("fromDeviceBytesPerSecond", fromDeviceBytesPerSecond, 1, Long.MAX_VALUE);
    Check.range("copyNanos", copyNanos, 0, Long.MAX_VALUE);
    Check.range("allReduceNanos", allReduceNanos, 0, Long.MAX_VALUE);
    sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
  }

  /// Reads a file in the format of the bundled ones.
  public static LinkProfile read(Path file) {
    return JsonReader.read(file, LinkProfile::from);
  }

  static LinkProfile from(JsonReader json) {
    return new LinkProfile(
        json.text("name"),
        json.text("description"),
        json.whole("toDeviceBytesPerSecond"),
        json.whole("fromDeviceBytesPerSecond"),
        json.whole("copyNanos"),
        json.whole("allReduceNanos"),
        json.object("sources").textsOf(NUMBERS));
  }
}
