package io.fusespill.cuda.model;

import io.fusespill.cuda.kernel.Kernels;

/// How large a step is, and so where each part of its input lies in memory: offsets in bytes, the
/// parts that decode steps have first. The same layout means the same addresses on the device.
///
/// @param rows of all entries
/// @param decodes rows of decode entries that attend on the device, the first ones
/// @param wanted rows whose logits are wanted
/// @param prefills entries with more than that one row
/// @param tiles of all prefills
/// @param tableStride block ids in a row of the tables, of decodes, then of prefills
record StepLayout(int rows, int decodes, int wanted, int prefills, int tiles, int tableStride) {

  private static final int ALIGNMENT = 16;

  /// The address to which sampled tokens go.
  long answer() {
    return 0;
  }

  /// Parameters of the samples.
  long parameters() {
    return ALIGNMENT;
  }

  /// The row of each wanted one.
  long rowIndex() {
    return parameters() + (long) Kernels.SAMPLE_BYTES * wanted;
  }

  /// A token a row.
  long tokens() {
    return after(rowIndex(), wanted);
  }

  /// A source a row.
  long sources() {
    return after(tokens(), rows);
  }

  long positions() {
    return after(sources(), rows);
  }

  long slots() {
    return after(positions(), rows);
  }

  /// Tokens of the context a decode row.
  long contexts() {
    return after(slots(), rows);
  }

  /// Four numbers a prefill.
  long entries() {
    return after(contexts(), decodes);
  }

  /// Two numbers a tile.
  long tileList() {
    return after(entries(), 4L * prefills);
  }

  long tables() {
    return after(tileList(), 2L * tiles);
  }

  /// Bytes of all of it.
  long bytes() {
    return after(tables(), (long) (decodes + prefills) * tableStride);
  }

  private static long after(long offset, long ints) {
    return (offset + Integer.BYTES * ints + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
