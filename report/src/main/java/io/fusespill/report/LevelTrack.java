package io.fusespill.report;

/// A level over time, as its changes, at most so many: beyond, changes closer than a spacing become
/// one with the highest of them, and the spacing doubles as often as needed.
final class LevelTrack {

  private static final long FIRST_SPACING = 1;

  private final int max;
  private final Longs times = new Longs();
  private final Longs values = new Longs();
  private long spacing;
  private long value = Long.MIN_VALUE;

  LevelTrack(int max) {
    this.max = max;
  }

  void at(long time, long level) {
    if (level == value) {
      return;
    }
    value = level;
    if (times.size() == max) {
      thin();
    }
    put(time, level);
  }

  private void put(long time, long level) {
    int last = times.size() - 1;
    if (last >= 0 && time - times.get(last) < spacing) {
      values.set(last, Math.max(values.get(last), level));
    } else {
      times.add(time);
      values.add(level);
    }
  }

  private void thin() {
    int size = times.size();
    while (times.size() > max / 2) {
      spacing = Math.max(FIRST_SPACING, 2 * spacing);
      times.cut(0);
      values.cut(0);
      for (int i = 0; i < size; i++) {
        put(times.get(i), values.get(i));
      }
      size = times.size();
    }
  }

  /// Changes closer than this, in the times' unit, are one; 0 where all are kept.
  long spacing() {
    return spacing;
  }

  void addTo(Columns columns) {
    columns.addDeltas(times);
    columns.addDeltas(values);
  }
}
