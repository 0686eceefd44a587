package io.fusespill.cuda.model;

import java.lang.foreign.MemorySegment;

/// Attention for the rows of a pass whose KV lies elsewhere, layer by layer. It is called by the
/// thread that launches the pass: [#begin], then [#await], for each layer from 0 on.
public interface RemoteAttention {

  /// Begins the attention of a layer. The device attends to its own rows in the meantime.
  ///
  /// @param input the pass; [StepInput#remotes] and what stands beside it say which rows these are
  /// @param qkv float32 `[remote row][(heads + 2 * kvHeads) * headDim]`: queries and keys after
  ///   norm and rotation, and values; the keys and values are nowhere written yet
  /// @param out where float32 `[remote row][heads * headDim]` are to be once [#await] returns
  void begin(int layer, StepInput input, MemorySegment qkv, MemorySegment out);

  /// Waits until the outputs of the layer that was begun last are there.
  void await();
}
