package io.fusespill.cuda.kernel;

import io.fusespill.host.model.KvShape;

/// How the queries, keys and values of a row lie beside each other, and where KV goes.
///
/// @param heads query heads, a multiple of the KV heads
/// @param kv the blocks of the pool
public record AttentionShape(int heads, KvShape kv) {

  public AttentionShape {
    if (heads < 1 || heads % kv.kvHeads() != 0) {
      throw new IllegalArgumentException(
          "heads must be a multiple of the %d KV heads, got %d".formatted(kv.kvHeads(), heads));
    }
  }

  int headDim() {
    return kv.headDim();
  }

  int kvHeads() {
    return kv.kvHeads();
  }

  /// Numbers in the queries of a row, and in its output.
  public int queryWidth() {
    return heads * kv.headDim();
  }

  /// Numbers in the queries, keys and values of a row.
  public int inputWidth() {
    return (heads + 2 * kv.kvHeads()) * kv.headDim();
  }

  long blockElements() {
    return kv.blockBytes() / kv.type().bytes();
  }

  long layerElements(int layer) {
    return layer * (kv.layerBytes() / kv.type().bytes());
  }

  float scale() {
    return (float) (1 / Math.sqrt(kv.headDim()));
  }
}
