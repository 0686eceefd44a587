package io.fusespill.host.model;

import java.util.Arrays;

/// A sequence of a test: its tokens, and the blocks its KV lies in.
final class Sequence {

  private final int[] table;
  private int[] tokens;
  private int computed;

  Sequence(int[] tokens, int[] table) {
    this.tokens = tokens.clone();
    this.table = table;
  }

  int length() {
    return tokens.length;
  }

  int computed() {
    return computed;
  }

  void append(int token) {
    tokens = Arrays.copyOf(tokens, tokens.length + 1);
    tokens[tokens.length - 1] = token;
  }

  /// Adds the next `count` tokens to a batch, with logits if they are the last.
  int step(Batch batch, int count, boolean remote) {
    int to = Math.min(tokens.length, computed + count);
    int entry = batch.add(tokens, computed, to, computed, table, true, remote);
    computed = to;
    return entry;
  }
}
