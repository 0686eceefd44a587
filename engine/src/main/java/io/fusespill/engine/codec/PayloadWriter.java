package io.fusespill.engine.codec;

import io.fusespill.engine.plan.Ints;
import java.nio.charset.StandardCharsets;

/// Writes numbers in the fewest bytes: seven bits a byte, low ones first, the top bit saying that
/// more follow. A signed number is first folded so that small magnitudes stay small (zigzag), a
/// list of sequences by its differences.
final class PayloadWriter {

  private byte[] bytes = new byte[4096];
  private int size;

  void clear(int start) {
    size = start;
  }

  byte[] bytes() {
    return bytes;
  }

  int size() {
    return size;
  }

  void unsigned(long value) {
    ensure(10);
    unsignedUnchecked(value);
  }

  /// Ten bytes at most, for which room has been made.
  void unsignedUnchecked(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  void fixed64(long value) {
    ensure(8);
    for (int i = 0; i < 8; i++) {
      bytes[size++] = (byte) (value >>> (8 * i));
    }
  }

  void flag(boolean value) {
    unsigned(value ? 1 : 0);
  }

  void text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    unsigned(utf8.length);
    ensure(utf8.length);
    System.arraycopy(utf8, 0, bytes, size, utf8.length);
    size += utf8.length;
  }

  /// A count, then each value's difference from the one before.
  void ints(Ints values) {
    int count = values.size();
    unsigned(count);
    ensure(5 * count);
    int previous = 0;
    for (int i = 0; i < count; i++) {
      int value = values.get(i);
      int delta = value - previous;
      small((delta << 1) ^ (delta >> 31));
      previous = value;
    }
  }

  /// Five bytes at most, for which room has been made.
  void small(int value) {
    int rest = value;
    while ((rest & ~0x7F) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  void ensure(int more) {
    if (size + more > bytes.length) {
      byte[] larger = new byte[Math.max(size + more, 2 * bytes.length)];
      System.arraycopy(bytes, 0, larger, 0, size);
      bytes = larger;
    }
  }
}
