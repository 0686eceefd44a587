package io.fusespill.report;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/// Columns of whole numbers as a text that a page can hold: each number as the difference to the
/// one before it, zigzag, in seven bits a byte; all together deflated (RFC 1951) and in Base64.
///
/// A column is its count, then its numbers. A row of several columns compresses better apart.
final class Columns {

  private byte[] bytes = new byte[1 << 16];
  private int size;

  /// Adds a column whose numbers are near those before them, as times are.
  void addDeltas(Longs values) {
    unsigned(values.size());
    long before = 0;
    for (int i = 0; i < values.size(); i++) {
      zigzag(values.get(i) - before);
      before = values.get(i);
    }
  }

  /// Adds a column of numbers as they are.
  void add(Longs values) {
    unsigned(values.size());
    for (int i = 0; i < values.size(); i++) {
      zigzag(values.get(i));
    }
  }

  private void zigzag(long value) {
    unsigned((value << 1) ^ (value >> 63));
  }

  private void unsigned(long value) {
    if (size + 10 > bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * bytes.length);
    }
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  /// All columns so far.
  String text() {
    return packed(bytes, size);
  }

  /// A text in UTF-8, deflated and in Base64.
  static String packed(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return packed(utf8, utf8.length);
  }

  private static String packed(byte[] bytes, int size) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(size / 2 + 64);
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    try (DeflaterOutputStream deflating = new DeflaterOutputStream(out, deflater)) {
      deflating.write(bytes, 0, size);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      deflater.end();
    }
    return Base64.getEncoder().encodeToString(out.toByteArray());
  }
}
