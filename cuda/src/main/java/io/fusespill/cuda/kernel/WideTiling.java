package io.fusespill.cuda.kernel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/// How a product of 33 to 192 rows is cut, on compute capability 9.0.
///
/// @param batch rows of x that the kernel multiplies
/// @param tile rows of the weights in a tile; gated: half of them of each of the two
/// @param tiles of the weights
/// @param splits blocks that share a tile, each with part of the inputs
record WideTiling(int batch, int tile, int tiles, int splits) {

  /// Rows of x are multiplied by so many at once.
  static final int BATCH_STEP = 64;

  /// Most rows of x.
  static final int ROWS_MAX = 192;

  /// For how many rows of the weights there are kernels.
  static final int[] TILES = {64, 96, 112, 128, 144, 176};

  private static final int SPLITS_MAX = 4;

  /// What an uneven distribution of blocks over multiprocessors costs: twice as many on some as the
  /// mean, so much more time. Less than all, as memory is what all of them wait for.
  private static final double IMBALANCE_COST = 0.7;

  /// What a byte of x or of weights costs in the second-level cache, from which all blocks read x,
  /// to one of the weights in memory.
  private static final double CACHE_COST = 0.4;

  /// What storing a byte of a tile's sums costs, to one of the weights.
  private static final double STORE_COST = 80;

  /// What adding them up among blocks and storing them costs.
  private static final double JOIN_COST = 200;

  /// Blocks that surely run at once if each tile is shared by more than two, as a share of the
  /// multiprocessors: such must lie on neighbouring ones.
  private static final double CLUSTERED = 0.88;

  /// The cut that is expected to be the fastest.
  ///
  /// @param rows of x, 1 to [#ROWS_MAX]
  /// @param outputs rows of the weights; gated: of each of the two halves
  /// @param inputs columns of the weights
  /// @param multiprocessors of the GPU, each of which runs one block at once
  static WideTiling of(int rows, int outputs, int inputs, boolean gated, int multiprocessors) {
    int batch = batch(rows);
    double weightBytes = 2.0 * (gated ? 2 : 1) * outputs * inputs;
    List<WideTiling> all = new ArrayList<>();
    for (int tile : TILES) {
      int tiles = Math.ceilDiv(outputs, gated ? tile / 2 : tile);
      for (int splits = 1; splits <= SPLITS_MAX; splits++) {
        WideTiling tiling = new WideTiling(batch, tile, tiles, splits);
        if (tiling.runs(multiprocessors)) {
          all.add(tiling);
        }
      }
    }
    return Collections.min(
        all, Comparator.comparingDouble(it -> it.cost(weightBytes, multiprocessors)));
  }

  /// Rows of x of the kernel for `rows`.
  static int batch(int rows) {
    if (rows < 1 || rows > ROWS_MAX) {
      throw new IllegalArgumentException("rows must be 1 to %d, got %d".formatted(ROWS_MAX, rows));
    }
    return Math.ceilDiv(rows, BATCH_STEP) * BATCH_STEP;
  }

  /// Blocks to launch: those that share tiles all run at once, others take tiles in turn.
  int blocks(int multiprocessors) {
    return splits > 1 ? tiles : Math.min(tiles, multiprocessors);
  }

  private boolean runs(int multiprocessors) {
    return switch (splits) {
      case 1 -> true;
      case 2 -> 2 * tiles <= multiprocessors;
      default -> splits * tiles <= CLUSTERED * multiprocessors;
    };
  }

  /// The time, in bytes of weights that could be read meanwhile.
  private double cost(double weightBytes, int multiprocessors) {
    double shares = (double) tiles * splits / multiprocessors;
    double imbalance = Math.ceil(shares) / shares;
    double sumBytes = (double) Float.BYTES * tile * batch;
    return weightBytes
            * (1 + IMBALANCE_COST * (imbalance - 1))
            * Math.max(1, CACHE_COST * (1 + (double) batch / tile))
        + sumBytes * (splits > 1 ? JOIN_COST : STORE_COST);
  }
}
