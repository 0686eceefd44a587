package io.fusespill.engine.config;

/// One direction of what connects two places.
///
/// @param bytesPerSecond bandwidth, at least 1
/// @param copyNanos fixed cost of each memory copy, at least 0
public record Link(int from, int to, long bytesPerSecond, long copyNanos) {

  public Link {
    Check.range(
        "bytesPerSecond of link %d to %d".formatted(from, to), bytesPerSecond, 1, Long.MAX_VALUE);
    Check.range("copyNanos of link %d to %d".formatted(from, to), copyNanos, 0, Long.MAX_VALUE);
    if (from == to) {
      throw new IllegalArgumentException("a link goes from place %d to itself".formatted(from));
    }
  }
}
