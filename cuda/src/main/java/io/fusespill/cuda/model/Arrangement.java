package io.fusespill.cuda.model;

/// Gives out places in one piece of device memory, one after another, each at a multiple of 256.
final class Arrangement {

  private static final long ALIGNMENT = 256;

  private long bytes;

  /// The offset of the next `size` bytes.
  long add(long size) {
    long at = bytes;
    bytes = (at + size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return at;
  }

  /// Bytes of all of it.
  long bytes() {
    return bytes;
  }
}
