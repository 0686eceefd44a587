package io.fusespill.host.model;

import io.fusespill.host.checkpoint.RopeFrequencies;
import io.fusespill.host.kernel.Memory;
import java.lang.foreign.Arena;

/// Cosines and sines of the rotary embedding for all positions up to the largest that was seen.
final class RopeTable {

  private static final int FIRST_CAPACITY = 1_024;

  private final RopeFrequencies frequencies;
  private final int pairs;
  private Arena arena = Arena.ofShared();
  private int capacity;
  private long cosines;
  private long sines;

  RopeTable(RopeFrequencies frequencies) {
    this.frequencies = frequencies;
    pairs = frequencies.pairs();
    fill(FIRST_CAPACITY);
  }

  /// Makes room for the positions 0 to `positions` - 1.
  void cover(int positions) {
    if (positions > capacity) {
      arena.close();
      arena = Arena.ofShared();
      fill((int) Math.max(positions, Math.min(2L * capacity, Integer.MAX_VALUE - 8)));
    }
  }

  private void fill(int positions) {
    long bytes = (long) positions * pairs * Float.BYTES;
    cosines = arena.allocate(bytes, 64).address();
    sines = arena.allocate(bytes, 64).address();
    for (int position = 0; position < positions; position++) {
      for (int i = 0; i < pairs; i++) {
        double angle = position * frequencies.frequency(i);
        long at = ((long) position * pairs + i) * Float.BYTES;
        Memory.putFloat(cosines + at, (float) StrictMath.cos(angle));
        Memory.putFloat(sines + at, (float) StrictMath.sin(angle));
      }
    }
    capacity = positions;
  }

  long cosines(int position) {
    return cosines + (long) position * pairs * Float.BYTES;
  }

  long sines(int position) {
    return sines + (long) position * pairs * Float.BYTES;
  }

  void close() {
    arena.close();
  }
}
