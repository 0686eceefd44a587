package io.fusespill.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// Gives the journal's file its disk space before Chronicle writes there.
///
/// Chronicle writes through a mapping of a sparse file. On a full disk such a write is a memory fault, or it is lost
/// without a word. Zeros written ahead the ordinary way fail with an exception while everything before them is safe, and
/// Chronicle then overwrites pages that the file already has, which is no slower than having the mapping fault them in.
final class SpaceGuard {

  /// Bytes written ahead at a time: a tenth of a millisecond's work.
  static final int STEP_BYTES = 256 << 10;

  private final Path directory;
  private final JournalStorage storage;
  private final ByteBuffer zeros = ByteBuffer.allocateDirect(STEP_BYTES);
  private long reservedBytes;

  SpaceGuard(Path directory, JournalStorage storage) {
    this.directory = directory;
    this.storage = storage;
  }

  /// Makes sure that the file has its first `bytes` bytes. What lies in them already stays.
  ///
  /// @throws JournalException if the disk is full; the file is as it was
  void reserve(long bytes) {
    while (reservedBytes < bytes) {
      try {
        storage.write(zeros.clear(), reservedBytes);
      } catch (IOException e) {
        throw new JournalException(
            "%s: no room for the journal: its file needs %d bytes more and the disk has %s free; what was appended before is safe, free some space or choose another disk (%s)"
                .formatted(directory, bytes - reservedBytes, freeBytes(), e.getMessage()),
            e);
      }
      reservedBytes += STEP_BYTES;
    }
  }

  private String freeBytes() {
    try {
      return String.valueOf(storage.usableBytes());
    } catch (IOException e) {
      return "an unknown number of bytes";
    }
  }
}
