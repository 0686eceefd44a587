package io.fusespill.host.model;

import java.util.Arrays;

/// What one forward pass computes: entries, each with the next tokens of one sequence. Cleared and
/// filled again for every step, it allocates only while it grows. Not thread-safe.
public final class Batch {

  private int entries;
  private int[] tokens = new int[64];
  private int[] firstRows = new int[17];
  private int[] starts = new int[16];
  private int[][] tables = new int[16][];
  private boolean[] logits = new boolean[16];
  private boolean[] remote = new boolean[16];

  /// Takes all entries out.
  public void clear() {
    Arrays.fill(tables, 0, entries, null);
    entries = 0;
  }

  /// Adds an entry.
  ///
  /// @param ids token ids, of which those from `from` to `to` - 1 are computed, at least one
  /// @param start tokens of the sequence whose KV is there already
  /// @param table ids of the blocks that hold the sequence's KV, in order, for `start` and the new
  ///   tokens at least; not copied, so it stays as it is until the pass is over
  /// @param logits whether the logits after the last token are wanted
  /// @param remote whether the KV lies with the attention service, and not in the model's own pool
  /// @return the entry's number, from 0
  public int add(
      int[] ids, int from, int to, int start, int[] table, boolean logits, boolean remote) {
    if (from < 0 || to > ids.length || from >= to) {
      throw new IllegalArgumentException(
          "an entry takes at least one of the %d tokens, got %d to %d"
              .formatted(ids.length, from, to));
    }
    if (start < 0) {
      throw new IllegalArgumentException("start must be at least 0, got " + start);
    }
    grow(to - from);
    int row = firstRows[entries];
    System.arraycopy(ids, from, tokens, row, to - from);
    starts[entries] = start;
    tables[entries] = table;
    this.logits[entries] = logits;
    this.remote[entries] = remote;
    firstRows[entries + 1] = row + to - from;
    return entries++;
  }

  private void grow(int more) {
    if (entries == starts.length) {
      int larger = 2 * entries;
      firstRows = Arrays.copyOf(firstRows, larger + 1);
      starts = Arrays.copyOf(starts, larger);
      tables = Arrays.copyOf(tables, larger);
      logits = Arrays.copyOf(logits, larger);
      remote = Arrays.copyOf(remote, larger);
    }
    int rows = Math.addExact(rows(), more);
    if (rows > tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(rows, 2 * tokens.length));
    }
  }

  public int entries() {
    return entries;
  }

  /// Tokens of all entries: rows of the pass.
  public int rows() {
    return firstRows[entries];
  }

  /// The row of the first token of `entry`, and for [#entries] the number of rows.
  int firstRow(int entry) {
    return firstRows[entry];
  }

  int rows(int entry) {
    return firstRows[entry + 1] - firstRows[entry];
  }

  int token(int row) {
    return tokens[row];
  }

  int start(int entry) {
    return starts[entry];
  }

  int[] table(int entry) {
    return tables[entry];
  }

  boolean logits(int entry) {
    return logits[entry];
  }

  boolean remote(int entry) {
    return remote[entry];
  }
}
