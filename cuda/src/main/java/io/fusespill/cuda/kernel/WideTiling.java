package io.fusespill.cuda.kernel;

/// How a product of 33 to 128 rows is cut, on compute capability 9.0.
///
/// @param batch most rows of x that the kernel takes
/// @param half half the rows of the weights in a tile; gated: the rows of each of the two
/// @param tiles of the weights
/// @param large tiles, the first, whose halves have [#STEP] rows more
/// @param splits blocks that share a tile, each with part of the inputs
record WideTiling(int batch, int half, int tiles, int large, int splits) {

  /// Most rows of x.
  static final int ROWS_MAX = 128;

  /// For how many rows there is a kernel.
  static final int[] BATCHES = {48, 64, 96, ROWS_MAX};

  /// Rows of a half are a multiple of these.
  static final int STEP = 8;

  private static final int HALF_MIN = 24;
  private static final int HALF_MAX = 64;
  private static final int SPLITS_MAX = 4;

  /// What an uneven distribution of blocks over multiprocessors costs: twice as many on some as the
  /// mean, so much more time. Less than all, as memory is what all of them wait for.
  private static final double IMBALANCE_COST = 0.3;

  /// What a block alone on its multiprocessor costs: less of the weights is on its way.
  private static final double ALONE_COST = 0.1;

  /// What a byte of x costs, which comes from the second-level cache, to one of the weights.
  private static final double INPUT_COST = 0.02;

  /// What tiles of two sizes cost.
  private static final double UNEQUAL_COST = 0.02;

  /// Blocks that surely run at once if each tile is shared by more than two, as a share of what
  /// fits: such must lie on neighbouring multiprocessors.
  private static final double CLUSTERED = 0.8;

  /// How unevenly blocks may lie on multiprocessors where cuBLASLt is the other choice.
  private static final double EVEN = 1.05;

  /// The cut that is expected to be the fastest.
  ///
  /// @param rows of x, 1 to [#ROWS_MAX]
  /// @param outputs rows of the weights; gated: of each of the two halves
  /// @param multiprocessors of the GPU, each of which runs two blocks at once
  static WideTiling of(int rows, int outputs, boolean gated, int multiprocessors) {
    int batch = batch(rows);
    int steps = Math.ceilDiv(outputs, gated ? STEP : 2 * STEP);
    WideTiling best = equal(batch, steps, HALF_MAX, 1);
    for (int half = HALF_MAX; half >= HALF_MIN; half -= STEP) {
      for (int splits = 1; splits <= SPLITS_MAX; splits *= 2) {
        WideTiling equal = equal(batch, steps, half, splits);
        best = better(best, equal, multiprocessors);
        int blocks = Math.ceilDiv(equal.blocks(), multiprocessors) * multiprocessors;
        best = better(best, spread(batch, steps, blocks / splits, splits), multiprocessors);
      }
    }
    return best;
  }

  private static WideTiling equal(int batch, int steps, int half, int splits) {
    return new WideTiling(batch, half, Math.ceilDiv(steps, half / STEP), 0, splits);
  }

  /// So many tiles that differ by a step at most.
  private static WideTiling spread(int batch, int steps, int tiles, int splits) {
    return new WideTiling(batch, steps / tiles * STEP, tiles, steps % tiles, splits);
  }

  private static WideTiling better(WideTiling one, WideTiling other, int multiprocessors) {
    boolean legal =
        other.half >= HALF_MIN
            && other.half + (other.large > 0 ? STEP : 0) <= HALF_MAX
            && other.blocks() <= other.blocksMax(multiprocessors);
    return legal && other.cost(multiprocessors) < one.cost(multiprocessors) ? other : one;
  }

  private static int batch(int rows) {
    for (int batch : BATCHES) {
      if (batch >= rows) {
        return batch;
      }
    }
    throw new IllegalArgumentException("rows must be 1 to %d, got %d".formatted(ROWS_MAX, rows));
  }

  private int blocks() {
    return tiles * splits;
  }

  private int blocksMax(int multiprocessors) {
    return switch (splits) {
      case 1 -> Integer.MAX_VALUE;
      case 2 -> 2 * multiprocessors;
      default -> (int) (CLUSTERED * 2 * multiprocessors);
    };
  }

  /// Whether all multiprocessors have about as many blocks of about one size.
  boolean even(int multiprocessors) {
    return large == 0 && imbalance(multiprocessors) <= EVEN;
  }

  /// Blocks of the multiprocessor that has the most, to the mean.
  private double imbalance(int multiprocessors) {
    return Math.ceilDiv(blocks(), multiprocessors) * (double) multiprocessors / blocks();
  }

  /// The time, relative to one in which all multiprocessors have as much to do and nothing but
  /// weights is read.
  private double cost(int multiprocessors) {
    return (1 + IMBALANCE_COST * (imbalance(multiprocessors) - 1))
        * (1 + INPUT_COST * batch / (2 * half))
        * (blocks() <= multiprocessors ? 1 + ALONE_COST : 1)
        * (large > 0 ? 1 + UNEQUAL_COST : 1);
  }
}
