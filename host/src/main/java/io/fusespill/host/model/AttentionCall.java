package io.fusespill.host.model;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// One layer's attention for some entries of a pass: each row's keys and values are written to the
/// blocks of its entry, and the row attends over all tokens of the sequence up to itself.
///
/// Numbers are f32. A row of [#input] is `heads * headDim` queries, `kvHeads * headDim` keys and as
/// many values, normalised and rotated already; a row of [#output] is `heads * headDim` wide. The
/// rows of an entry follow each other, those of other entries may lie between.
///
/// Whoever wants the attention fills it, and leaves it and its memory alone until it has the
/// answer.
public final class AttentionCall {

  private int layer;
  private MemorySegment input = MemorySegment.NULL;
  private MemorySegment output = MemorySegment.NULL;
  private int entries;
  private int[] firstRows = new int[16];
  private int[] rows = new int[16];
  private int[] starts = new int[16];
  private int[][] tables = new int[16][];

  /// Takes all entries out.
  public void clear() {
    Arrays.fill(tables, 0, entries, null);
    entries = 0;
  }

  /// Adds an entry: rows `firstRow` to `firstRow + rows - 1`.
  ///
  /// @param start tokens of the sequence whose KV is there already
  /// @param table ids of the blocks for all its tokens, in the pool of whoever answers the call
  public void add(int firstRow, int rows, int start, int[] table) {
    if (entries == starts.length) {
      int larger = 2 * entries;
      firstRows = Arrays.copyOf(firstRows, larger);
      this.rows = Arrays.copyOf(this.rows, larger);
      starts = Arrays.copyOf(starts, larger);
      tables = Arrays.copyOf(tables, larger);
    }
    firstRows[entries] = firstRow;
    this.rows[entries] = rows;
    starts[entries] = start;
    tables[entries] = table;
    entries++;
  }

  /// Sets the layer, and where its rows lie.
  public void at(int layer, MemorySegment input, MemorySegment output) {
    this.layer = layer;
    this.input = input;
    this.output = output;
  }

  public int layer() {
    return layer;
  }

  public MemorySegment input() {
    return input;
  }

  public MemorySegment output() {
    return output;
  }

  public int entries() {
    return entries;
  }

  public int firstRow(int entry) {
    return firstRows[entry];
  }

  public int rows(int entry) {
    return rows[entry];
  }

  public int start(int entry) {
    return starts[entry];
  }

  public int[] table(int entry) {
    return tables[entry];
  }
}
