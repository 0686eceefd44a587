package io.fusespill.journal;

import java.io.IOException;
import java.nio.ByteBuffer;

/// What the journal asks of the file system itself, beside Chronicle's writes through a mapping.
interface JournalStorage extends AutoCloseable {

  /// Reads `bytes.remaining()` bytes at `offset` of the queue file.
  void read(ByteBuffer bytes, long offset) throws IOException;

  /// Writes all of `bytes` at `offset` of the queue file.
  void write(ByteBuffer bytes, long offset) throws IOException;

  /// Cuts the queue file to its first `bytes` bytes.
  void truncate(long bytes) throws IOException;

  /// Returns when the queue file's bytes are on storage, those written through the mapping
  /// included.
  void force() throws IOException;

  /// Returns when all files of the journal and their names are on storage.
  void forceNames() throws IOException;

  /// How many bytes may still be written, as far as the file system knows, in words.
  String usableBytes();

  @Override
  void close() throws IOException;
}
