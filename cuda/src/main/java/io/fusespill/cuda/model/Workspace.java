package io.fusespill.cuda.model;

import io.fusespill.cuda.kernel.AttentionShape;
import io.fusespill.cuda.kernel.Kernels;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.model.KvShape;

/// What a pass needs of device memory beside weights and KV: offsets in bytes. T is the weights'
/// type, 16 bits.
///
/// @param residual float32 `[row][hidden]`
/// @param normal T `[row][hidden]`
/// @param inputs T `[row][queries, keys, values]`
/// @param attended T `[row][queries]`
/// @param gateUp T `[row of a chunk][2 * inner]`
/// @param inner T `[row of a chunk][inner]`
/// @param logits float32 `[wanted row][vocabulary]`
/// @param partial of the decode attention
/// @param tokens int32 a row
/// @param sampled int32 a wanted row: the tokens of the last pass
/// @param input the copy of [StepInput]
/// @param cosSin float32 `[position][headDim]`
record Workspace(
    long residual,
    long normal,
    long inputs,
    long attended,
    long gateUp,
    long inner,
    long logits,
    long partial,
    long tokens,
    long sampled,
    long input,
    long cosSin,
    long bytes) {

  /// Rows that the feed-forward layers take at a time: enough for full speed.
  static final int CHUNK_ROWS = 2_048;

  /// Matrix products of up to so many rows are padded to a multiple of the first, others of the
  /// second.
  private static final int SMALL_ROWS = 256;

  private static final int SMALL_MULTIPLE = 16;
  private static final int MULTIPLE = 64;

  /// Rows for which there is memory: what cuBLASLt is given and what [Kernels#linear] reads, from
  /// any row on at which one of its products or a chunk begins.
  private static final int MEMORY_MULTIPLE = 64;

  static {
    assert MEMORY_MULTIPLE % Kernels.LINEAR_ROWS_STEP == 0
        && MEMORY_MULTIPLE % MULTIPLE == 0
        && CHUNK_ROWS % MEMORY_MULTIPLE == 0;
  }

  /// Rows of a matrix product for `rows` rows of a step: so many that few different ones occur, as
  /// the algorithm for each is chosen once.
  static int padded(int rows) {
    if (rows <= Kernels.FEW_ROWS) {
      return rows;
    }
    int multiple = rows <= SMALL_ROWS ? SMALL_MULTIPLE : MULTIPLE;
    return Math.ceilDiv(rows, multiple) * multiple;
  }

  private static long withRoom(long rows) {
    return Math.ceilDiv(rows, MEMORY_MULTIPLE) * MEMORY_MULTIPLE;
  }

  static Workspace of(
      ModelConfig config, KvShape kv, int poolBlocks, ModelLimits limits, long partialBytes) {
    AttentionShape attention = new AttentionShape(config.heads(), kv);
    long rows = withRoom(Math.max(limits.maxRows(), limits.maxEntries()));
    long wanted = padded(Math.max(limits.maxSamples(), limits.maxEntries()));
    long chunk = Math.min(rows, CHUNK_ROWS);
    int inner = WeightPlan.inner(config);
    Arrangement places = new Arrangement();
    return new Workspace(
        places.add(4 * rows * config.hidden()),
        places.add(2 * Math.max(rows, withRoom(wanted)) * config.hidden()),
        places.add(2 * rows * attention.inputWidth()),
        places.add(2 * rows * attention.queryWidth()),
        places.add(4 * chunk * inner),
        places.add(2 * chunk * inner),
        places.add(4 * wanted * config.vocabulary()),
        places.add(partialBytes),
        places.add(4 * rows),
        places.add(4 * wanted),
        places.add(StepInput.bytesMax(kv, poolBlocks, limits)),
        places.add(4L * limits.maxTokens() * config.headDim()),
        places.bytes());
  }
}
