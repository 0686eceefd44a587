package io.fusespill.host.model;

import io.fusespill.host.checkpoint.RopeFrequencies;
import io.fusespill.host.kernel.Memory;
import java.lang.foreign.Arena;

/// Cosines and sines of the rotary embedding for the positions from 0 on.
final class RopeTable implements AutoCloseable {

  private final Arena arena = Arena.ofShared();
  private final int positions;
  private final int pairs;
  private final long cosines;
  private final long sines;

  /// A table for the positions 0 to `positions` - 1.
  RopeTable(RopeFrequencies frequencies, int positions) {
    this.positions = positions;
    pairs = frequencies.pairs();
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
  }

  int positions() {
    return positions;
  }

  long cosines(int position) {
    return cosines + (long) position * pairs * Float.BYTES;
  }

  long sines(int position) {
    return sines + (long) position * pairs * Float.BYTES;
  }

  @Override
  public void close() {
    arena.close();
  }
}
