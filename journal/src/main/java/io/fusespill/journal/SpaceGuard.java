package io.fusespill.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// Gives the journal's file its disk space before Chronicle writes there.
///
/// Chronicle writes through a mapping of a sparse file. On a full disk such a write is a memory
/// fault, or it is lost without a word. Zeros written ahead the ordinary way fail with an exception
/// while all before them is safe; Chronicle then overwrites pages that the file already has, which
/// costs it less than to have the mapping make them.
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

  /// Makes sure of the space of what the file begins with, holes included: writes it over itself.
  ///
  /// @throws JournalException if the disk is full
  void adopt(int contentBytes) {
    ByteBuffer content = ByteBuffer.allocate(contentBytes);
    try {
      storage.read(content, 0);
      storage.write(content.flip(), 0);
    } catch (IOException e) {
      throw noRoom(contentBytes, e);
    }
    reservedBytes = contentBytes;
  }

  /// Makes sure that the file has its first `bytes` bytes.
  ///
  /// @throws JournalException if the disk is full; what the file holds is as it was
  void reserve(long bytes) {
    while (reservedBytes < bytes) {
      try {
        storage.write(zeros.clear(), reservedBytes);
      } catch (IOException e) {
        throw noRoom(STEP_BYTES, e);
      }
      reservedBytes += STEP_BYTES;
    }
  }

  private JournalException noRoom(long missingBytes, IOException cause) {
    return new JournalException(
        "%s: no room for the journal: its file needs %d bytes more and the disk has %s bytes free; what came before is safe, free some space or choose another disk (%s)"
            .formatted(directory, missingBytes, storage.usableBytes(), cause.getMessage()),
        cause);
  }
}
