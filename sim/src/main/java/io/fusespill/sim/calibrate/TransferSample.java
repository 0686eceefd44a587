package io.fusespill.sim.calibrate;

/// Transfers that were measured together, one after the other over one link.
///
/// @param transfers how many, at least 1
/// @param bytes of all of them, at least 1
/// @param nanos how long they had the link, at least 1
public record TransferSample(int transfers, long bytes, long nanos) {

  public TransferSample {
    if (transfers < 1 || bytes < 1 || nanos < 1) {
      throw new IllegalArgumentException(
          "%d transfers of %d bytes in %d ns: each must be at least 1"
              .formatted(transfers, bytes, nanos));
    }
  }
}
