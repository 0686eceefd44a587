package io.fusespill.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A stretch of a file in memory, little-endian, that moves along as the file is read.
///
/// The file is read by position, not mapped: it may get shorter meanwhile without a memory fault.
final class FileWindow implements AutoCloseable {

  private static final int WINDOW_BYTES = 256 << 10;

  private final FileChannel file;
  private ByteBuffer window = ByteBuffer.allocate(0);
  private long start;

  FileWindow(Path path) throws IOException {
    file = FileChannel.open(path, StandardOpenOption.READ);
  }

  /// Moves the window where it must, and returns whether the file has all of `[at, at + bytes)`.
  /// The accessors below are for what this has confirmed.
  boolean holds(long at, int bytes) throws IOException {
    if (at < start || at + bytes > start + window.limit()) {
      load(at, bytes);
    }
    return at + bytes <= start + window.limit();
  }

  private void load(long at, int bytes) throws IOException {
    if (window.capacity() < bytes || window.capacity() == 0) {
      window = ByteBuffer.allocate(Math.max(bytes, WINDOW_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    }
    window.clear();
    start = at;
    while (window.hasRemaining()) {
      if (file.read(window, at + window.position()) < 0) {
        break;
      }
    }
    window.flip();
  }

  /// Has the file read again next time: it may have changed.
  void forget() {
    window.limit(0);
  }

  byte byteAt(long at) {
    return window.get(index(at));
  }

  int intAt(long at) {
    return window.getInt(index(at));
  }

  long longAt(long at) {
    return window.getLong(index(at));
  }

  /// The array in which the byte at `at` has [#index].
  byte[] array() {
    return window.array();
  }

  int index(long at) {
    return (int) (at - start);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
