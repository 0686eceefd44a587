package io.fusespill.engine.state;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Values by dense ascending number, which forgets the oldest as they go: memory follows the live
/// range, not the count.
public final class Window<T> {

  private @Nullable Object[] ring = new @Nullable Object[16];
  private int base;
  private int next;
  private int live;

  /// The number that the next added value gets.
  public int next() {
    return next;
  }

  /// The smallest number that may have a value.
  public int base() {
    return base;
  }

  /// How many values there are.
  public int live() {
    return live;
  }

  /// Sets the value of [#next].
  public void add(T value) {
    put(next, value);
  }

  /// Sets the value of `number`, [#base] or more, which may have had another; those skipped have
  /// none.
  public void put(int number, T value) {
    if (live == 0 && number >= next) {
      base = number;
    }
    while (number - base >= ring.length) {
      grow();
    }
    next = Math.max(next, number + 1);
    int slot = number & (ring.length - 1);
    live += ring[slot] == null ? 1 : 0;
    ring[slot] = value;
  }

  /// The value of `number`, or null.
  @SuppressWarnings("unchecked")
  public @Nullable T get(int number) {
    return number < base || number >= next ? null : (T) ring[number & (ring.length - 1)];
  }

  /// Forgets the value of `number`, which must have one.
  public void remove(int number) {
    ring[number & (ring.length - 1)] = null;
    live--;
    while (base < next && ring[base & (ring.length - 1)] == null) {
      base++;
    }
  }

  private void grow() {
    @Nullable Object[] larger = Arrays.copyOf(ring, ring.length * 2);
    Arrays.fill(larger, null);
    for (int number = base; number < next; number++) {
      larger[number & (larger.length - 1)] = ring[number & (ring.length - 1)];
    }
    ring = larger;
  }
}
