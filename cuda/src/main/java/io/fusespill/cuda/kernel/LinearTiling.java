package io.fusespill.cuda.kernel;

/// How a product of few rows is cut.
///
/// @param kernel for the least batch that holds the rows
/// @param splits blocks that share a tile, each with part of the inputs
record LinearTiling(LinearKernel kernel, int splits) {

  /// Blocks that may share a tile: by more it costs more than it saves.
  private static final int SPLITS_MAX = 2;

  /// What sharing a tile costs, as a share of the product.
  private static final double SPLIT_COST = 0.15;

  /// What a byte of x costs, which comes from the second-level cache, to one of the weights.
  private static final double INPUT_COST = 0.25;

  private static final LinearKernel[] KERNELS = LinearKernel.values();

  /// The cut that is expected to be the fastest.
  ///
  /// @param rows of x, 1 to [LinearKernel#BATCH_MAX]
  /// @param outputs rows of the weights
  /// @param slots blocks that run at once; a tile is shared only if all blocks do
  static LinearTiling of(int rows, int outputs, int slots) {
    LinearKernel best = KERNELS[0];
    int bestSplits = 1;
    double least = Double.POSITIVE_INFINITY;
    int batch = batch(rows);
    for (LinearKernel kernel : KERNELS) {
      if (kernel.batch != batch) {
        continue;
      }
      for (int splits = 1; splits <= SPLITS_MAX; splits++) {
        int blocks = kernel.tiles(outputs) * splits;
        double cost = cost(kernel, splits, blocks, slots);
        if (cost < least && (splits == 1 || blocks <= slots)) {
          least = cost;
          best = kernel;
          bestSplits = splits;
        }
      }
    }
    return new LinearTiling(best, bestSplits);
  }

  private static int batch(int rows) {
    for (LinearKernel kernel : KERNELS) {
      if (kernel.batch >= rows) {
        return kernel.batch;
      }
    }
    throw new IllegalArgumentException(
        "rows must be 1 to %d, got %d".formatted(LinearKernel.BATCH_MAX, rows));
  }

  /// The time, relative to one in which no block is ever idle and nothing but weights is read.
  private static double cost(LinearKernel kernel, int splits, int blocks, int slots) {
    double waves = Math.ceilDiv(blocks, slots) * (double) slots / blocks;
    double inputs = 1 + INPUT_COST * kernel.batch / kernel.tileRows;
    return waves * inputs * (1 + SPLIT_COST * (splits - 1));
  }
}
