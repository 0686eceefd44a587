package io.fusespill.journal;

import java.io.IOException;
import java.nio.ByteBuffer;

/// What the journal asks of the file system itself, beside Chronicle's writes through a mapping.
interface JournalStorage extends AutoCloseable {

  /// Writes all of `bytes` at `offset` of the journal's file.
  void write(ByteBuffer bytes, long offset) throws IOException;

  /// Returns when the bytes of the journal's file are on storage, those written through the mapping included.
  void force() throws IOException;

  /// Returns when all of the journal's files and their names are on storage.
  void forceNames() throws IOException;

  void truncate(long bytes) throws IOException;

  /// Bytes that could still be written, as far as the file system says.
  long usableBytes() throws IOException;

  @Override
  void close() throws IOException;
}
