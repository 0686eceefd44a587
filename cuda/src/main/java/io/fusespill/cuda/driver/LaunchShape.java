package io.fusespill.cuda.driver;

/// How many threads run a kernel: blocks in the grid, threads in a block, and the dynamic shared
/// memory of each block.
///
/// @param gridX blocks, at least 1
/// @param gridY 1 to 65,535
/// @param gridZ 1 to 65,535
/// @param blockX threads, at least 1; with the two others at most 1,024
/// @param sharedBytes at least 0; above 48 KiB see [Kernel#allowShared]
/// @param cluster blocks, neighbours in x, that run at once and read one another's shared memory: 1
///   to 8, a divisor of `gridX`; above 1 for [Kernel#launchEarly] alone
public record LaunchShape(
    int gridX,
    int gridY,
    int gridZ,
    int blockX,
    int blockY,
    int blockZ,
    int sharedBytes,
    int cluster) {

  private static final int GRID_MAX = 65_535;
  private static final int THREADS_MAX = 1_024;
  private static final int CLUSTER_MAX = 8;

  public LaunchShape {
    if (gridX < 1 || gridY < 1 || gridY > GRID_MAX || gridZ < 1 || gridZ > GRID_MAX) {
      throw new IllegalArgumentException(
          "the grid must be at least 1, and at most %,d in y and z, got %d x %d x %d"
              .formatted(GRID_MAX, gridX, gridY, gridZ));
    }
    if (blockX < 1 || blockY < 1 || blockZ < 1 || (long) blockX * blockY * blockZ > THREADS_MAX) {
      throw new IllegalArgumentException(
          "a block must have 1 to %,d threads, got %d x %d x %d"
              .formatted(THREADS_MAX, blockX, blockY, blockZ));
    }
    if (sharedBytes < 0) {
      throw new IllegalArgumentException("sharedBytes must be at least 0, got " + sharedBytes);
    }
    if (cluster < 1 || cluster > CLUSTER_MAX || gridX % cluster != 0) {
      throw new IllegalArgumentException(
          "a cluster must have 1 to %d blocks and %d be a multiple of them, got %d"
              .formatted(CLUSTER_MAX, gridX, cluster));
    }
  }

  /// Blocks and threads in one dimension, without shared memory.
  public static LaunchShape of(int blocks, int threads) {
    return new LaunchShape(blocks, 1, 1, threads, 1, 1, 0, 1);
  }

  /// A grid in three dimensions of blocks in one, without shared memory.
  public static LaunchShape of(int gridX, int gridY, int gridZ, int threads) {
    return new LaunchShape(gridX, gridY, gridZ, threads, 1, 1, 0, 1);
  }

  /// The same with that much dynamic shared memory.
  public LaunchShape withShared(int bytes) {
    return new LaunchShape(gridX, gridY, gridZ, blockX, blockY, blockZ, bytes, cluster);
  }

  /// The same in clusters of that many blocks.
  public LaunchShape withCluster(int blocks) {
    return new LaunchShape(gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, blocks);
  }
}
