package io.fusespill.sim.profile;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A disk behind a host: rates of long sequential copies.
///
/// @param readBytesPerSecond disk to host
/// @param writeBytesPerSecond host to disk
/// @param copyNanos fixed time of one copy, whatever its size
/// @param sources where each number is from, by the key of the JSON file
public record DiskProfile(
    String name,
    String description,
    long readBytesPerSecond,
    long writeBytesPerSecond,
    long copyNanos,
    Map<String, String> sources) {

  /// Keys of the JSON file that hold numbers and so have a source.
  static final List<String> NUMBERS =
      List.of("readBytesPerSecond", "writeBytesPerSecond", "copyNanos");

  public DiskProfile {
    Check.text("name", name);
    Check.range("readBytesPerSecond", readBytesPerSecond, 1, Long.MAX_VALUE);
    Check.range("writeBytesPerSecond", writeBytesPerSecond, 1, Long.MAX_VALUE);
    Check.range("copyNanos", copyNanos, 0, Long.MAX_VALUE);
    sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
  }

  /// Reads a file in the format of the bundled ones.
  public static DiskProfile read(Path file) {
    return JsonReader.read(file, DiskProfile::from);
  }

  static DiskProfile from(JsonReader json) {
    return new DiskProfile(
        json.text("name"),
        json.text("description"),
        json.whole("readBytesPerSecond"),
        json.whole("writeBytesPerSecond"),
        json.whole("copyNanos"),
        json.object("sources").textsOf(NUMBERS));
  }
}
