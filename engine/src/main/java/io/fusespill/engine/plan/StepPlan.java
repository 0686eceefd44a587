package io.fusespill.engine.plan;

import java.util.List;

/// What one forward pass on one device computes.
///
/// Entry `i` computes `newTokens[i]` tokens of `sequences[i]`, whose first `computedTokens[i]`
/// tokens already have KV on the device. An entry that reaches the sequence's last known token
/// samples one more. The plan stands alone: an executor needs no earlier plan to know positions,
/// and an entry with nothing computed starts from an empty table.
///
/// `newBlocks` are appended to the block tables in entry order; entry `i` takes `ceil((computed +
/// new) / blockTokens) - ceil(computed / blockTokens)` of them.
///
/// @param step the device's step number, counting from 0
/// @param transfers ordered transfers that run on the device before this pass, in order
/// @param batchedTokens tokens that the linear layers run through, padding included
public record StepPlan(
    int device,
    long step,
    Ints sequences,
    Ints newTokens,
    Ints computedTokens,
    Ints newBlocks,
    List<BlockCopy> copies,
    Ints transfers,
    int batchedTokens) {

  public StepPlan {
    if (sequences.size() != newTokens.size() || sequences.size() != computedTokens.size()) {
      throw new IllegalArgumentException(
          "entries differ in length: %d sequences, %d newTokens, %d computedTokens"
              .formatted(sequences.size(), newTokens.size(), computedTokens.size()));
    }
    if (sequences.isEmpty() && transfers.isEmpty()) {
      throw new IllegalArgumentException("a step computes or transfers something");
    }
  }

  /// Number of entries.
  public int size() {
    return sequences.size();
  }

  /// Whether entry `i` extends existing KV by one token. A last prompt chunk of a single token
  /// counts too: the device does the same work for it.
  public boolean isDecode(int i) {
    return newTokens.get(i) == 1 && computedTokens.get(i) > 0;
  }
}
