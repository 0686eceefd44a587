package io.fusespill.engine.config;

/// One direction of what connects two places.
///
/// @param bytesPerSecond bandwidth, at least 1
/// @param copyNanos fixed cost of each memory copy, at least 0
/// @param channel what carries one transfer at a time for all links that name it, for example a
///   PCIe root port; [#OWN_CHANNEL] for a link that has it to itself
public record Link(int from, int to, long bytesPerSecond, long copyNanos, int channel) {

  /// The channel of a link that shares none.
  public static final int OWN_CHANNEL = -1;

  public Link {
    Check.range(
        "bytesPerSecond of link %d to %d".formatted(from, to), bytesPerSecond, 1, Long.MAX_VALUE);
    Check.range("copyNanos of link %d to %d".formatted(from, to), copyNanos, 0, Long.MAX_VALUE);
    Check.range(
        "channel of link %d to %d".formatted(from, to),
        channel,
        OWN_CHANNEL,
        Topology.MAX_CHANNELS - 1);
    if (from == to) {
      throw new IllegalArgumentException("a link goes from place %d to itself".formatted(from));
    }
  }

  /// A link with a channel to itself.
  public Link(int from, int to, long bytesPerSecond, long copyNanos) {
    this(from, to, bytesPerSecond, copyNanos, OWN_CHANNEL);
  }

  /// Whether no other link can hold up a transfer here.
  public boolean hasOwnChannel() {
    return channel == OWN_CHANNEL;
  }
}
