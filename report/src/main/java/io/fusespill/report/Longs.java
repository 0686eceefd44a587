package io.fusespill.report;

import java.util.Arrays;

/// A growing list of longs.
final class Longs {

  private long[] values = new long[64];
  private int size;

  void add(long value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = value;
  }

  long get(int index) {
    return values[index];
  }

  void set(int index, long value) {
    values[index] = value;
  }

  int size() {
    return size;
  }

  /// Keeps the first `count` values.
  void cut(int count) {
    size = count;
  }
}
