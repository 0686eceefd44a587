package io.fusespill.cuda.model;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.PinnedBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.host.checkpoint.RopeFrequencies;
import java.lang.foreign.ValueLayout;

/// Cosines and sines of the rotary embedding, the same as the host's.
final class RotaryTable {

  private RotaryTable() {}

  /// Writes float32 `[position][cosines of the pairs, then sines]` to device memory; waits.
  static void upload(
      Context context, Stream stream, RopeFrequencies frequencies, int positions, long target) {
    int pairs = frequencies.pairs();
    long bytes = 2L * Float.BYTES * pairs * positions;
    try (PinnedBuffer table = context.allocatePinned(bytes, "rotary table on its way")) {
      for (int position = 0; position < positions; position++) {
        long row = 2L * pairs * position;
        for (int i = 0; i < pairs; i++) {
          double angle = position * frequencies.frequency(i);
          float cosine = (float) StrictMath.cos(angle);
          float sine = (float) StrictMath.sin(angle);
          table.memory().setAtIndex(ValueLayout.JAVA_FLOAT, row + i, cosine);
          table.memory().setAtIndex(ValueLayout.JAVA_FLOAT, row + pairs + i, sine);
        }
      }
      stream.copyToDevice(target, table.address(), bytes);
      stream.synchronize();
    }
  }
}
