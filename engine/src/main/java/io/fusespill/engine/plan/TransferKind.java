package io.fusespill.engine.plan;

/// Where a transfer's KV goes, by the kinds of its two places.
public enum TransferKind {
  /// Device to host.
  SWAP_OUT,
  /// Host to device.
  SWAP_IN,
  /// Host to disk.
  SPILL,
  /// Disk to host.
  UNSPILL,
  /// From one computing place to another, which goes on decoding.
  OFFLOAD
}
