package io.fusespill.engine.plan;

/// Which blocks move between two places, for whom.
///
/// `sourceBlocks` are the distinct blocks of the sequences' tables in order of first appearance;
/// block `i` is copied to `targetBlocks[i]`, so sharing among the moved sequences survives the
/// move.
///
/// @param transfer the transfer's number, counting from 0
public record TransferPlan(
    int transfer,
    TransferKind kind,
    TransferMode mode,
    int from,
    int to,
    Ints sequences,
    Ints sourceBlocks,
    Ints targetBlocks) {

  public TransferPlan {
    if (from == to) {
      throw new IllegalArgumentException(
          "transfer %d goes from place %d to itself".formatted(transfer, from));
    }
    if (sequences.isEmpty() || sourceBlocks.size() != targetBlocks.size()) {
      throw new IllegalArgumentException(
          "transfer %d moves %d sequences, %d source and %d target blocks"
              .formatted(transfer, sequences.size(), sourceBlocks.size(), targetBlocks.size()));
    }
  }

  /// Number of blocks copied.
  public int blocks() {
    return sourceBlocks.size();
  }
}
