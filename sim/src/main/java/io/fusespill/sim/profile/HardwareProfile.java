package io.fusespill.sim.profile;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A device that computes: what the vendor states, what was measured, and where each number is
/// from.
///
/// @param memoryBytes capacity that the vendor states
/// @param usableBytes capacity that the driver reports (`cuMemGetInfo`), of which utilisation is a
///   share
/// @param contextBytes what a process loses before its first allocation: driver context, library
///   handles and workspaces
/// @param peakFlopsPerSecond dense 16-bit matrix arithmetic with 32-bit accumulation, no sparsity
/// @param bandwidthBytesPerSecond peak of the device's own memory
/// @param layerOverheadNanos fixed time of one layer's small kernels (two norms, rotary,
///   activation) and of starting its attention, replayed from a graph: what neither weights, KV nor
///   arithmetic explain
/// @param stepOverheadNanos fixed time of a step outside its layers: launch, input copy, sampling
/// @param sources where each number is from, by the key of the JSON file
public record HardwareProfile(
    String name,
    DeviceKind kind,
    String description,
    long memoryBytes,
    long usableBytes,
    long contextBytes,
    long peakFlopsPerSecond,
    long bandwidthBytesPerSecond,
    Efficiency efficiency,
    long layerOverheadNanos,
    long stepOverheadNanos,
    Map<String, String> sources) {

  /// Keys of the JSON file that hold numbers and so have a source.
  static final List<String> NUMBERS =
      List.of(
          "memoryBytes",
          "usableBytes",
          "contextBytes",
          "peakFlopsPerSecond",
          "bandwidthBytesPerSecond",
          "efficiency.linearFlops",
          "efficiency.attentionFlops",
          "efficiency.weightBandwidth",
          "efficiency.kvBandwidth",
          "layerOverheadNanos",
          "stepOverheadNanos");

  public HardwareProfile {
    Check.text("name", name);
    Check.range("memoryBytes", memoryBytes, 1, Long.MAX_VALUE);
    Check.range("usableBytes", usableBytes, 1, memoryBytes);
    Check.range("contextBytes", contextBytes, 0, usableBytes);
    Check.range("peakFlopsPerSecond", peakFlopsPerSecond, 1, Long.MAX_VALUE);
    Check.range("bandwidthBytesPerSecond", bandwidthBytesPerSecond, 1, Long.MAX_VALUE);
    Check.range("layerOverheadNanos", layerOverheadNanos, 0, Long.MAX_VALUE);
    Check.range("stepOverheadNanos", stepOverheadNanos, 0, Long.MAX_VALUE);
    sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
  }

  /// Reads a file in the format of the bundled ones.
  public static HardwareProfile read(Path file) {
    return JsonReader.read(file, HardwareProfile::from);
  }

  static HardwareProfile from(JsonReader json) {
    return new HardwareProfile(
        json.text("name"),
        kind(json),
        json.text("description"),
        json.whole("memoryBytes"),
        json.whole("usableBytes"),
        json.whole("contextBytes"),
        json.whole("peakFlopsPerSecond"),
        json.whole("bandwidthBytesPerSecond"),
        Efficiency.from(json.object("efficiency")),
        json.whole("layerOverheadNanos"),
        json.whole("stepOverheadNanos"),
        json.object("sources").textsOf(NUMBERS));
  }

  private static DeviceKind kind(JsonReader json) {
    String kind = json.text("kind");
    for (DeviceKind known : DeviceKind.values()) {
      if (known.name().toLowerCase(Locale.ROOT).equals(kind)) {
        return known;
      }
    }
    throw json.problem("kind", "is \"%s\", must be \"gpu\" or \"cpu\"".formatted(kind));
  }
}
