package io.fusespill.sim;

import io.fusespill.engine.event.InputEvent;
import java.util.Arrays;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Future inputs in total order: by time, then by rank, then by insertion.
///
/// A binary heap over parallel arrays: it holds a handful of entries, one a device and a transfer.
public final class EventQueue {

  /// What goes first at the same instant: what frees resources before what uses them.
  public enum Rank {
    TRANSFER,
    STEP,
    CANCELLATION
  }

  private long[] times = new long[16];
  private long[] orders = new long[16];
  private InputEvent[] events = new InputEvent[16];
  private int size;
  private long inserted;

  public boolean isEmpty() {
    return size == 0;
  }

  /// Time of the first event, `Long.MAX_VALUE` where there is none.
  public long nextNanos() {
    return size == 0 ? Long.MAX_VALUE : times[0];
  }

  public void add(Rank rank, InputEvent event) {
    put(event.atNanos(), ((long) rank.ordinal() << 56) | inserted++, event);
  }

  private void put(long time, long order, InputEvent event) {
    if (size == times.length) {
      times = Arrays.copyOf(times, 2 * size);
      orders = Arrays.copyOf(orders, 2 * size);
      events = Arrays.copyOf(events, 2 * size);
    }
    int child = size++;
    place(child, time, order, event);
    while (child > 0 && precedes(child, (child - 1) >> 1)) {
      swap(child, (child - 1) >> 1);
      child = (child - 1) >> 1;
    }
  }

  /// Takes the first event away; there must be one.
  @SuppressWarnings("NullAway") // a slot past the end is never read
  public InputEvent remove() {
    InputEvent first = events[0];
    size--;
    place(0, times[size], orders[size], events[size]);
    events[size] = null;
    int parent = 0;
    while (2 * parent + 1 < size) {
      int child = 2 * parent + 1;
      if (child + 1 < size && precedes(child + 1, child)) {
        child++;
      }
      if (!precedes(child, parent)) {
        break;
      }
      swap(child, parent);
      parent = child;
    }
    return first;
  }

  /// Takes the first event away that is wanted, in no order, or returns null where there is none.
  @Nullable InputEvent take(Predicate<InputEvent> wanted) {
    for (int i = 0; i < size; i++) {
      if (wanted.test(events[i])) {
        InputEvent found = events[i];
        EventQueue rest = new EventQueue();
        for (int j = 0; j < size; j++) {
          if (j != i) {
            rest.put(times[j], orders[j], events[j]);
          }
        }
        take(rest);
        return found;
      }
    }
    return null;
  }

  /// Puts other events in the place of those that are there; each keeps its rank and turn.
  void replaceAll(UnaryOperator<InputEvent> others) {
    EventQueue changed = new EventQueue();
    for (int i = 0; i < size; i++) {
      InputEvent other = others.apply(events[i]);
      changed.put(other.atNanos(), orders[i], other);
    }
    take(changed);
  }

  private void take(EventQueue other) {
    times = other.times;
    orders = other.orders;
    events = other.events;
    size = other.size;
  }

  private boolean precedes(int a, int b) {
    return times[a] != times[b] ? times[a] < times[b] : orders[a] < orders[b];
  }

  private void place(int index, long time, long order, InputEvent event) {
    times[index] = time;
    orders[index] = order;
    events[index] = event;
  }

  private void swap(int a, int b) {
    long time = times[a];
    long order = orders[a];
    InputEvent event = events[a];
    place(a, times[b], orders[b], events[b]);
    place(b, time, order, event);
  }
}
