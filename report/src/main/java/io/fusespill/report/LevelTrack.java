package io.fusespill.report;

/// A level over time, as its changes, at most so many: beyond, changes closer than a spacing become
/// one with the highest of them, and the spacing doubles as often as needed.
final class LevelTrack {

  private static final long FIRST_SPACING = 1;

  /// A change, the one before it settled, and the last one settled at the end.
  private static final int ROOM = 3;

  private final int max;
  private final Longs times = new Longs();
  private final Longs values = new Longs();
  private long spacing;
  private long value = Long.MIN_VALUE;

  /// @param max changes that are kept, at least 8
  LevelTrack(int max) {
    this.max = max;
  }

  void at(long time, long level) {
    if (level == value) {
      return;
    }
    if (times.size() + ROOM > max) {
      thin();
    }
    put(time, level);
  }

  private void put(long time, long level) {
    int last = times.size() - 1;
    if (last >= 0 && time - times.get(last) < spacing) {
      values.set(last, Math.max(values.get(last), level));
    } else {
      settle(time);
      times.add(time);
      values.add(level);
    }
    value = level;
  }

  /// The highest of some changes stands for no longer than twice their spacing: a level that stays
  /// where the last of them left it is shown there.
  private void settle(long until) {
    int last = times.size() - 1;
    if (last >= 0 && values.get(last) != value && until - times.get(last) >= 2 * spacing) {
      times.add(times.get(last) + spacing);
      values.add(value);
    }
  }

  private void thin() {
    long now = value;
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
    value = now;
  }

  /// Changes closer than this, in the times' unit, are one; 0 where all are kept.
  long spacing() {
    return spacing;
  }

  void addTo(Columns columns) {
    settle(Long.MAX_VALUE);
    columns.addDeltas(times);
    columns.addDeltas(values);
  }
}
