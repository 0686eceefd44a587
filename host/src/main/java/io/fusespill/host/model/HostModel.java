package io.fusespill.host.model;

import io.fusespill.host.kernel.WorkerPool;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A transformer that runs on the CPU. Not thread-safe: one pass at a time.
public final class HostModel implements AutoCloseable {

  private final ModelWeights weights;
  private final WorkerPool workers;

  /// A model that computes on `workers`; it closes neither them nor the weights.
  public HostModel(ModelWeights weights, WorkerPool workers) {
    this.weights = weights;
    this.workers = workers;
  }

  /// Computes a batch: writes the new tokens' keys and values to their blocks, and the logits that
  /// are wanted to [#logits].
  ///
  /// @param pool where the KV of entries that are not remote lies
  /// @param remote who attends for remote entries; may be null where there are none
  /// @throws IllegalArgumentException if an entry's tokens, positions or blocks are out of range;
  ///   then nothing is computed
  public void forward(Batch batch, KvPool pool, @Nullable AttentionService remote) {
    throw new UnsupportedOperationException();
  }

  /// The logits of the last pass: rows of `vocabulary` f32, one for each entry that wanted them, in
  /// the order of the entries. Overwritten by the next pass.
  public MemorySegment logits() {
    throw new UnsupportedOperationException();
  }

  /// Copies the logits of `entry` of the last pass to the first `vocabulary` numbers of `target`.
  public void copyLogits(int entry, float[] target) {
    throw new UnsupportedOperationException();
  }

  /// The token with the largest logit of `entry` in the last pass, the smallest id of equals.
  public int argmax(int entry) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
