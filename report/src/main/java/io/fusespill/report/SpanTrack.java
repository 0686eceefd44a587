package io.fusespill.report;

import java.util.List;
import java.util.stream.Stream;

/// Spans of one lane in order, at most so many: beyond, two that follow each other become one, then
/// four, and so on.
///
/// Each span has amounts of its own that add up, and marks that are kept where both are the same
/// and are otherwise [#MIXED].
final class SpanTrack {

  /// A mark of a span that was made of several with different ones.
  static final long MIXED = -1;

  private final int max;
  private final Longs from = new Longs();
  private final Longs until = new Longs();
  private final Longs busy = new Longs();
  private final Longs counts = new Longs();
  private final List<Longs> marks;
  private final List<Longs> amounts;
  private int group = 1;
  private int inLast;

  /// @param max spans that are kept, an even number
  SpanTrack(int max, int marks, int amounts) {
    this.max = max;
    this.marks = Stream.generate(Longs::new).limit(marks).toList();
    this.amounts = Stream.generate(Longs::new).limit(amounts).toList();
  }

  /// @param values marks first, then amounts
  void add(long fromTime, long untilTime, long... values) {
    if (inLast == group || from.size() == 0) {
      if (from.size() == max) {
        halve();
      }
      if (inLast == group || from.size() == 0) {
        append(fromTime, untilTime, values);
        return;
      }
    }
    int last = from.size() - 1;
    until.set(last, untilTime);
    busy.set(last, busy.get(last) + untilTime - fromTime);
    counts.set(last, counts.get(last) + 1);
    for (int i = 0; i < marks.size(); i++) {
      merge(marks.get(i), last, values[i]);
    }
    for (int i = 0; i < amounts.size(); i++) {
      Longs column = amounts.get(i);
      column.set(last, column.get(last) + values[marks.size() + i]);
    }
    inLast++;
  }

  private void append(long fromTime, long untilTime, long... values) {
    from.add(fromTime);
    until.add(untilTime);
    busy.add(untilTime - fromTime);
    counts.add(1);
    for (int i = 0; i < marks.size(); i++) {
      marks.get(i).add(values[i]);
    }
    for (int i = 0; i < amounts.size(); i++) {
      amounts.get(i).add(values[marks.size() + i]);
    }
    inLast = 1;
  }

  private static void merge(Longs column, int index, long value) {
    if (column.get(index) != value) {
      column.set(index, MIXED);
    }
  }

  private void halve() {
    int half = from.size() / 2;
    for (int i = 0; i < half; i++) {
      int a = 2 * i;
      int b = a + 1;
      from.set(i, from.get(a));
      until.set(i, until.get(b));
      busy.set(i, busy.get(a) + busy.get(b));
      counts.set(i, counts.get(a) + counts.get(b));
      for (Longs column : marks) {
        long first = column.get(a);
        long second = column.get(b);
        column.set(i, first == second ? first : MIXED);
      }
      for (Longs column : amounts) {
        column.set(i, column.get(a) + column.get(b));
      }
    }
    Stream.of(from, until, busy, counts).forEach(column -> column.cut(half));
    marks.forEach(column -> column.cut(half));
    amounts.forEach(column -> column.cut(half));
    group *= 2;
    inLast = group;
  }

  /// How many of the run's spans one of these stands for.
  int group() {
    return group;
  }

  int size() {
    return from.size();
  }

  /// From, until, pauses within, counts, then marks and amounts.
  void addTo(Columns columns) {
    Longs gaps = new Longs();
    Longs durations = new Longs();
    Longs pauses = new Longs();
    long before = 0;
    for (int i = 0; i < from.size(); i++) {
      gaps.add(from.get(i) - before);
      durations.add(until.get(i) - from.get(i));
      pauses.add(until.get(i) - from.get(i) - busy.get(i));
      before = until.get(i);
    }
    columns.add(gaps);
    columns.addDeltas(durations);
    columns.add(pauses);
    columns.add(counts);
    marks.forEach(columns::add);
    amounts.forEach(columns::addDeltas);
  }
}
