package io.fusespill.engine.event;

/// What can be done with a sequence for which a device has no room.
public enum Handling {
  /// Drop its KV and compute prompt and output again later.
  RECOMPUTE,
  /// Copy its KV to the host, and back later.
  SWAP,
  /// Copy its KV to the host and on to the disk, and back later.
  SPILL,
  /// Let another device with weights of its own decode it.
  OFFLOAD_DECODE,
  /// Keep its KV on the host, which runs its attention; the device goes on with the rest.
  OFFLOAD_ATTENTION,
  /// Leave it where it is, and admit nobody.
  STAY
}
