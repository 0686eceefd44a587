package io.fusespill.engine.plan;

import java.util.Arrays;
import java.util.Objects;

/// An immutable list of ints that costs one array.
public final class Ints {

  public static final Ints EMPTY = new Ints(new int[0]);

  private final int[] values;

  private Ints(int[] values) {
    this.values = values;
  }

  public static Ints of(int... values) {
    return values.length == 0 ? EMPTY : new Ints(values.clone());
  }

  /// The first `size` values of `values`, copied.
  public static Ints copyOf(int[] values, int size) {
    return size == 0 ? EMPTY : new Ints(Arrays.copyOf(values, size));
  }

  /// The values from `from` to before `to`, copied.
  ///
  /// @throws IndexOutOfBoundsException if there are not as many
  public Ints range(int from, int to) {
    Objects.checkFromToIndex(from, to, values.length);
    return from == to ? EMPTY : new Ints(Arrays.copyOfRange(values, from, to));
  }

  public int size() {
    return values.length;
  }

  public int get(int index) {
    return values[index];
  }

  public boolean isEmpty() {
    return values.length == 0;
  }

  public boolean contains(int value) {
    for (int v : values) {
      if (v == value) {
        return true;
      }
    }
    return false;
  }

  /// Whether the value at `index` stands before it too.
  public boolean containsBefore(int index) {
    for (int i = 0; i < index; i++) {
      if (values[i] == values[index]) {
        return true;
      }
    }
    return false;
  }

  /// Whether the first `size` values of `other` are exactly this list.
  public boolean matches(int[] other, int size) {
    return size == values.length && Arrays.equals(values, 0, size, other, 0, size);
  }

  public int[] toArray() {
    return values.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Ints ints && Arrays.equals(values, ints.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return Arrays.toString(values);
  }
}
