package io.fusespill.journal;

import java.io.IOException;
import java.nio.file.Path;

/// Walks the excerpts of one Chronicle Queue file.
///
/// The file is a row of size-prefixed blobs (OpenHFT's RFC of that name): a little-endian word,
/// then as many bytes as its low 30 bits say, padded to a multiple of four. Bit 30 marks what
/// Chronicle keeps for itself, bit 31 what is not complete, and a word of zero is the end so far.
final class ExcerptFile implements AutoCloseable {
  /*
   * Chronicle's own tailer is not used, because it trusts the file: it maps and reads as many bytes
   * as a damaged length says (a memory fault), takes a zeroed length for the end without a look
   * behind it, makes objects of classes that the file names, and needs a second file with a date in
   * it that it can parse. Here whatever is no excerpt is the end, and the reader looks at what lies
   * behind it.
   */

  private static final int LENGTH = (1 << 30) - 1;
  private static final int METADATA = 1 << 30;
  private static final int NOT_COMPLETE = 1 << 31;

  /// What Chronicle's own blobs begin with: its code for the name of a field.
  private static final byte FIELD_NAME = (byte) 0xB9;

  private final FileWindow window;

  /// Where the present blob's word lies, or one is looked for.
  private long blob;

  private int blobBytes;
  private long next;

  ExcerptFile(Path path) throws IOException {
    window = new FileWindow(path);
  }

  /// Moves to the next complete excerpt. Where there is none yet, the next call looks at the file
  /// again.
  boolean next() throws IOException {
    blob = next;
    while (completeBlob()) {
      int word = window.intAt(blob);
      blobBytes = word & LENGTH;
      long end = (content() + blobBytes + 3) & ~3L;
      if ((word & METADATA) == 0) {
        next = end;
        return true;
      }
      if (window.byteAt(content()) != FIELD_NAME) {
        break;
      }
      blob = end;
    }
    next = blob;
    window.forget();
    return false;
  }

  private boolean completeBlob() throws IOException {
    if (!window.holds(blob, Integer.BYTES)) {
      return false;
    }
    int word = window.intAt(blob);
    int length = word & LENGTH;
    return (word & NOT_COMPLETE) == 0
        && length > 0
        && length <= Journal.RECORD_BYTES_MAX
        && window.holds(blob, Integer.BYTES + length);
  }

  private long content() {
    return blob + Integer.BYTES;
  }

  /// Reads the present excerpt again from the file.
  void reread() throws IOException {
    window.forget();
    window.holds(blob, Integer.BYTES + blobBytes);
  }

  int length() {
    return blobBytes;
  }

  /// Copies the present excerpt to the front of `target`.
  void copyTo(byte[] target) {
    System.arraycopy(window.array(), window.index(content()), target, 0, blobBytes);
  }

  /// What the file holds from the present blob on, which is not the record of `position`.
  Remains remains(long position) throws IOException {
    return Remains.of(window, blob, position);
  }

  @Override
  public void close() throws IOException {
    window.close();
  }
}
