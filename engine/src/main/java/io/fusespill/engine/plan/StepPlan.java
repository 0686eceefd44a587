package io.fusespill.engine.plan;

import java.util.List;

/// What one forward pass on one device computes.
///
/// Entry `i` computes `newTokens[i]` tokens of `sequences[i]`, whose first `computedTokens[i]`
/// tokens already have KV on the device. An entry that reaches the sequence's last known token
/// samples one more. The plan stands alone: an executor needs no earlier plan to know positions,
/// and an entry goes on from as many leading blocks of its table as hold its computed tokens: from
/// none where nothing is computed, and from those that it left behind where it was preempted and
/// took them back.
///
/// The last `remoteEntries` entries decode sequences whose KV lies in `remotePlace`, a host that
/// attends: the device computes everything but their attention, which the host runs over its own
/// blocks.
///
/// `newBlocks` are blocks of the place where the entry's KV lies, appended to the block tables in
/// entry order; entry `i` takes `ceil((computed + new) / blockTokens) - ceil(computed /
/// blockTokens)` of them.
///
/// @param step the device's step number, counting from 0
/// @param transfers ordered transfers that run on the device before this pass, in order
/// @param batchedTokens tokens that the linear layers run through, padding included
/// @param remotePlace the host that attends for the last entries, -1 where none does
public record StepPlan(
    int device,
    long step,
    Ints sequences,
    Ints newTokens,
    Ints computedTokens,
    Ints newBlocks,
    List<BlockCopy> copies,
    Ints transfers,
    int batchedTokens,
    int remotePlace,
    int remoteEntries) {

  /// Stands for "no place attends for this step".
  public static final int NO_REMOTE = -1;

  public StepPlan {
    if (sequences.size() != newTokens.size() || sequences.size() != computedTokens.size()) {
      throw new IllegalArgumentException(
          "entries differ in length: %d sequences, %d newTokens, %d computedTokens"
              .formatted(sequences.size(), newTokens.size(), computedTokens.size()));
    }
    if (sequences.isEmpty() && transfers.isEmpty()) {
      throw new IllegalArgumentException("a step computes or transfers something");
    }
    if (remoteEntries < 0
        || remoteEntries > sequences.size()
        || (remotePlace == NO_REMOTE) != (remoteEntries == 0)) {
      throw new IllegalArgumentException(
          "%d of %d entries attend in place %d"
              .formatted(remoteEntries, sequences.size(), remotePlace));
    }
  }

  /// A step whose KV all lies on its device.
  public StepPlan(
      int device,
      long step,
      Ints sequences,
      Ints newTokens,
      Ints computedTokens,
      Ints newBlocks,
      List<BlockCopy> copies,
      Ints transfers,
      int batchedTokens) {
    this(
        device,
        step,
        sequences,
        newTokens,
        computedTokens,
        newBlocks,
        copies,
        transfers,
        batchedTokens,
        NO_REMOTE,
        0);
  }

  /// This step with its last `entries` entries attended for by `place`.
  public StepPlan withRemote(int place, int entries) {
    return new StepPlan(
        device,
        step,
        sequences,
        newTokens,
        computedTokens,
        newBlocks,
        copies,
        transfers,
        batchedTokens,
        place,
        entries);
  }

  /// Number of entries.
  public int size() {
    return sequences.size();
  }

  /// Number of entries whose KV lies on the device.
  public int localEntries() {
    return sequences.size() - remoteEntries;
  }

  /// Place where the KV of entry `i` lies.
  public int home(int i) {
    return i < localEntries() ? device : remotePlace;
  }

  /// The step's sequences whose KV lies in `place`.
  public Ints sequencesAt(int place) {
    if (place == device) {
      return sequences.range(0, localEntries());
    }
    return place == remotePlace ? sequences.range(localEntries(), size()) : Ints.EMPTY;
  }

  /// Whether entry `i` extends existing KV by one token. A last prompt chunk of a single token
  /// counts too: the device does the same work for it.
  public boolean isDecode(int i) {
    return newTokens.get(i) == 1 && computedTokens.get(i) > 0;
  }
}
