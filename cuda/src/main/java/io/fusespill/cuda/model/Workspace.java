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

  /// Whole steps of rows that matrix products are padded to.
  private static final int SMALL_ROWS = 256;

  private static final int SMALL_MULTIPLE = 16;
  private static final int MULTIPLE = Kernels.LINEAR_ROWS_STEP;

  /// Rows of a matrix product for `rows` rows of a step: so many that few different ones occur, as
  /// the algorithm for each is chosen once.
  static int padded(int rows) {
    if (rows <= Kernels.FEW_ROWS) {
      return rows;
    }
    return rows <= SMALL_ROWS ? Math.ceilDiv(rows, SMALL_MULTIPLE) * SMALL_MULTIPLE : stepped(rows);
  }

  /// So many rows that all products of them have memory.
  private static int stepped(int rows) {
    return Math.ceilDiv(rows, MULTIPLE) * MULTIPLE;
  }

  static Workspace of(
      ModelConfig config, KvShape kv, int poolBlocks, ModelLimits limits, long partialBytes) {
    AttentionShape attention = new AttentionShape(config.heads(), kv);
    long rows = stepped(Math.max(limits.maxRows(), limits.maxEntries()));
    long wanted = stepped(Math.max(limits.maxSamples(), limits.maxEntries()));
    long chunk = Math.min(rows, CHUNK_ROWS);
    int inner = WeightPlan.inner(config);
    Arrangement places = new Arrangement();
    return new Workspace(
        places.add(4 * rows * config.hidden()),
        places.add(2 * Math.max(rows, wanted) * config.hidden()),
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
