package io.fusespill.journal;

import java.io.IOException;
import java.nio.ByteBuffer;

/// What the journal asks of the file system itself, beside Chronicle's writes through a mapping.
interface JournalStorage {

  /// Writes all of `bytes` at `offset` of the queue file.
  void write(ByteBuffer bytes, long offset) throws IOException;

  /// Returns when the queue file's bytes are on storage, those written through the mapping included.
  void force() throws IOException;

  /// Returns when all files of the journal and their names are on storage.
  void forceNames() throws IOException;

  /// Bytes that may still be written, as far as the file system knows.
  long usableBytes() throws IOException;

  /// Cuts the queue file to its first `bytes` bytes and gives the right to write up.
  void close(long bytes) throws IOException;

  /// Deletes what has been created and gives the right to write up.
  void discard() throws IOException;
}
