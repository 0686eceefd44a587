package io.fusespill.cuda.kernel;

/// How a product of 33 to 128 rows is cut, on compute capability 9.0.
///
/// @param batch most rows of x that the kernel takes
/// @param half half the rows of the weights in a tile
/// @param splits blocks that share a tile, each with part of the inputs
record WideTiling(int batch, int half, int splits) {

  /// Most rows of x.
  static final int ROWS_MAX = 128;

  /// For how many rows there is a kernel.
  static final int[] BATCHES = {48, 64, 96, ROWS_MAX};

  private static final int HALF_MIN = 24;
  private static final int HALF_MAX = 64;
  private static final int HALF_STEP = 8;
  private static final int SPLITS_MAX = 4;

  /// What an uneven distribution of blocks over multiprocessors costs: twice as many on some as the
  /// mean, so much more time. Less than all, as memory is what all of them wait for.
  private static final double IMBALANCE_COST = 0.3;

  /// What a block alone on its multiprocessor costs: less of the weights is on its way.
  private static final double ALONE_COST = 0.1;

  /// What a byte of x costs, which comes from the second-level cache, to one of the weights.
  private static final double INPUT_COST = 0.02;

  /// Blocks that surely run at once if each tile is shared by more than two, as a share of what
  /// fits: such must lie on neighbouring multiprocessors.
  private static final double CLUSTERED = 0.8;

  /// The cut that is expected to be the fastest.
  ///
  /// @param rows of x, 1 to [#ROWS_MAX]
  /// @param outputs rows of the weights; gated: of each of the two halves
  /// @param multiprocessors of the GPU, each of which runs two blocks at once
  static WideTiling of(int rows, int outputs, boolean gated, int multiprocessors) {
    int batch = batch(rows);
    WideTiling best = new WideTiling(batch, HALF_MAX, 1);
    double least = Double.POSITIVE_INFINITY;
    for (int half = HALF_MAX; half >= HALF_MIN; half -= HALF_STEP) {
      for (int splits = 1; splits <= SPLITS_MAX; splits *= 2) {
        WideTiling tiling = new WideTiling(batch, half, splits);
        int blocks = tiling.tiles(outputs, gated) * splits;
        double cost = tiling.cost(blocks, multiprocessors);
        if (cost < least && blocks <= tiling.blocksMax(multiprocessors)) {
          least = cost;
          best = tiling;
        }
      }
    }
    return best;
  }

  private static int batch(int rows) {
    for (int batch : BATCHES) {
      if (batch >= rows) {
        return batch;
      }
    }
    throw new IllegalArgumentException("rows must be 1 to %d, got %d".formatted(ROWS_MAX, rows));
  }

  /// Tiles of the weights.
  int tiles(int outputs, boolean gated) {
    return Math.ceilDiv(outputs, gated ? half : 2 * half);
  }

  private int blocksMax(int multiprocessors) {
    return switch (splits) {
      case 1 -> Integer.MAX_VALUE;
      case 2 -> 2 * multiprocessors;
      default -> (int) (CLUSTERED * 2 * multiprocessors);
    };
  }

  /// The time, relative to one in which all multiprocessors have as much to do and nothing but
  /// weights is read.
  private double cost(int blocks, int multiprocessors) {
    double most = Math.ceilDiv(blocks, multiprocessors) * (double) multiprocessors / blocks;
    double alone = blocks <= multiprocessors ? 1 + ALONE_COST : 1;
    return (1 + IMBALANCE_COST * (most - 1)) * (1 + INPUT_COST * batch / (2 * half)) * alone;
  }
}
