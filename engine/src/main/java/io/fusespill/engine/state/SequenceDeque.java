package io.fusespill.engine.state;

import java.util.Arrays;

/// A double-ended queue over a power-of-two ring, with removal and insertion inside.
final class SequenceDeque implements SequenceQueue {

  private Sequence[] ring = new Sequence[16];
  private int head;
  private int size;

  @Override
  public int size() {
    return size;
  }

  @Override
  public Sequence get(int index) {
    return ring[(head + index) & (ring.length - 1)];
  }

  void addLast(Sequence sequence) {
    ensureRoom();
    ring[(head + size++) & (ring.length - 1)] = sequence;
  }

  void addFirst(Sequence sequence) {
    ensureRoom();
    head = (head - 1) & (ring.length - 1);
    ring[head] = sequence;
    size++;
  }

  void insert(int index, Sequence sequence) {
    addLast(sequence);
    for (int i = size - 1; i > index; i--) {
      set(i, get(i - 1));
    }
    set(index, sequence);
  }

  int indexOf(Sequence sequence) {
    for (int i = 0; i < size; i++) {
      if (get(i) == sequence) {
        return i;
      }
    }
    return -1;
  }

  void remove(Sequence sequence) {
    if (size > 0 && get(size - 1) == sequence) {
      clearSlot(--size);
      return;
    }
    int index = indexOf(sequence);
    if (index < 0) {
      throw new IllegalStateException("sequence %d is not in the queue".formatted(sequence.id()));
    }
    if (index < size / 2) {
      for (int i = index; i > 0; i--) {
        set(i, get(i - 1));
      }
      clearSlot(0);
      head = (head + 1) & (ring.length - 1);
      size--;
    } else {
      for (int i = index; i < size - 1; i++) {
        set(i, get(i + 1));
      }
      clearSlot(--size);
    }
  }

  /// Insertion sort by request, whose numbers follow arrival: stable, and linear where little is
  /// out of order.
  void sortOldestFirst() {
    for (int i = 1; i < size; i++) {
      Sequence sequence = get(i);
      int j = i;
      for (; j > 0 && get(j - 1).request().id() > sequence.request().id(); j--) {
        set(j, get(j - 1));
      }
      set(j, sequence);
    }
  }

  private void set(int index, Sequence sequence) {
    ring[(head + index) & (ring.length - 1)] = sequence;
  }

  @SuppressWarnings("NullAway") // an empty slot is never read
  private void clearSlot(int index) {
    ring[(head + index) & (ring.length - 1)] = null;
  }

  private void ensureRoom() {
    if (size < ring.length) {
      return;
    }
    Sequence[] larger = Arrays.copyOf(ring, ring.length * 2);
    for (int i = 0; i < size; i++) {
      larger[i] = get(i);
    }
    ring = larger;
    head = 0;
  }
}
