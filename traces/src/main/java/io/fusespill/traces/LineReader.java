package io.fusespill.traces;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/// The lines of a file that are not blank, one at a time, in one buffer that grows to the longest
/// line.
///
/// Lines end in LF or CRLF, the last one with or without; a byte order mark is dropped; gzip is
/// unpacked.
public final class LineReader implements AutoCloseable {

  private static final int BUFFER_BYTES = 1 << 16;

  private final String file;
  private final InputStream in;
  private byte[] buffer = new byte[BUFFER_BYTES];
  private int start;
  private int end;
  private int unread;
  private int filled;
  private long number;

  /// @param file the name for messages
  LineReader(String file, InputStream in) {
    this.file = file;
    this.in = in;
  }

  /// Opens a file. This and what reads on throws [TraceException] where that is not possible.
  public static LineReader open(Path path) {
    String file = path.toString();
    try {
      return new LineReader(file, TraceFile.open(path));
    } catch (NoSuchFileException e) {
      throw new TraceException("%s: no such file".formatted(file), e);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  /// Goes to the next line that is not blank; false at the end of the file.
  public boolean advance() {
    while (nextLine()) {
      if (number == 1) {
        dropByteOrderMark();
      }
      while (end > start && isBlank(buffer[end - 1])) {
        end--;
      }
      if (end > start) {
        return true;
      }
    }
    return false;
  }

  private boolean nextLine() {
    boolean more = true;
    int newline = newlineFrom(unread);
    while (newline == filled && more) {
      int searched = filled - unread;
      more = fill();
      newline = newlineFrom(searched);
    }
    start = unread;
    end = newline;
    unread = Math.min(newline + 1, filled);
    if (start == filled) {
      return false;
    }
    number++;
    return true;
  }

  /// The next newline at or after `index`, else the end of what is filled.
  private int newlineFrom(int index) {
    int newline = index;
    while (newline < filled && buffer[newline] != '\n') {
      newline++;
    }
    return newline;
  }

  /// Moves what is unread to the front, makes room and reads on; false at the end of the file.
  private boolean fill() {
    System.arraycopy(buffer, unread, buffer, 0, filled - unread);
    filled -= unread;
    unread = 0;
    if (filled == buffer.length) {
      if (filled >= TraceLimits.MAX_LINE_BYTES) {
        throw new TraceException(
            "%s:%d: longer than %d bytes; not a file of lines?"
                .formatted(file, number + 1, TraceLimits.MAX_LINE_BYTES));
      }
      buffer = Arrays.copyOf(buffer, 2 * buffer.length);
    }
    try {
      int count = in.read(buffer, filled, buffer.length - filled);
      filled += Math.max(count, 0);
      return count >= 0;
    } catch (IOException e) {
      throw unreadable("%s:%d".formatted(file, number + 1), e);
    }
  }

  private void dropByteOrderMark() {
    if (end - start >= 3
        && buffer[start] == (byte) 0xef
        && buffer[start + 1] == (byte) 0xbb
        && buffer[start + 2] == (byte) 0xbf) {
      start += 3;
    }
  }

  private static boolean isBlank(byte character) {
    return character == ' ' || character == '\t' || character == '\r';
  }

  /// The current line without its end and without blanks before it.
  public String text() {
    return new String(buffer, start, end - start, StandardCharsets.UTF_8);
  }

  /// The bytes that hold the current line, valid until the next `advance`.
  byte[] bytes() {
    return buffer;
  }

  int offset() {
    return start;
  }

  int length() {
    return end - start;
  }

  /// The file's name, as messages call it.
  public String file() {
    return file;
  }

  /// The current line's number, from 1.
  long number() {
    return number;
  }

  /// Where the reader stands, as messages begin.
  public String place() {
    return "%s:%d".formatted(file, number);
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static TraceException unreadable(String place, IOException e) {
    return new TraceException("%s: cannot be read: %s".formatted(place, e.getMessage()), e);
  }
}
