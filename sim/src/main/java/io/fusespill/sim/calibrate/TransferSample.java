package io.fusespill.sim.calibrate;

/// Transfers that were measured together, one after the other over one link.
///
/// @param foundIdle whether the first of them found the link idle, so that its way there counts
/// @param bytes of all of them, at least 1
/// @param nanos from the first one's planning, or from when the link was free for it if that is
///   later, to the last one's end, at least 1
public record TransferSample(boolean foundIdle, long bytes, long nanos) {

  public TransferSample {
    if (bytes < 1 || nanos < 1) {
      throw new IllegalArgumentException(
          "%d bytes in %d ns: each must be at least 1".formatted(bytes, nanos));
    }
  }
}
