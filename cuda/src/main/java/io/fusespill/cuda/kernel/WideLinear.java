package io.fusespill.cuda.kernel;

import io.fusespill.cuda.driver.Arguments;
import io.fusespill.cuda.driver.Kernel;
import io.fusespill.cuda.driver.KernelModule;
import io.fusespill.cuda.driver.LaunchShape;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.cuda.driver.TensorMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// Products of 33 to 192 rows on compute capability 9.0: `linear_wide.cu`.
final class WideLinear {

  private static final int SHARED_BYTES = 199_680;

  private final int multiprocessors;

  /// By the rows of x, in steps, and the tile.
  private final Map<Shape, Kernel> kernels = new HashMap<>();

  /// Maps take the driver a microsecond to make, and the same are asked for in each step: of each
  /// matrix by the few tilings of it, of each input by the batches, of which there are three.
  private final Map<Matrix, TensorMap> maps = new HashMap<>();

  private final Map<Product, WideTiling> tilings = new HashMap<>();

  /// A kernel.
  private record Shape(int batch, int tile) {}

  /// A matrix and the boxes it is read by.
  private record Matrix(
      long address, int columns, int rows, int parts, int boxRows, int boxParts) {}

  /// What a tiling depends on.
  private record Product(int batch, int outputs, int inputs, boolean gated) {}

  WideLinear(KernelModule module, String suffix, int multiprocessors) {
    this.multiprocessors = multiprocessors;
    for (int batch = WideTiling.BATCH_STEP;
        batch <= WideTiling.ROWS_MAX;
        batch += WideTiling.BATCH_STEP) {
      for (int tile : WideTiling.TILES) {
        Kernel kernel = module.kernel("linear_wide_r%d_n%d%s".formatted(batch, tile, suffix));
        kernel.allowShared(SHARED_BYTES);
        kernels.put(new Shape(batch, tile), kernel);
      }
    }
  }

  /// As [Kernels#linear].
  void multiply(
      Arguments arguments,
      Stream stream,
      LinearMode mode,
      long x,
      long weights,
      long bias,
      long y,
      int rows,
      int outputs,
      int inputs) {
    boolean gated = mode == LinearMode.GATED;
    WideTiling tiling =
        tilings.computeIfAbsent(
            new Product(WideTiling.batch(rows), outputs, inputs, gated),
            it -> WideTiling.of(it.batch, it.outputs, it.inputs, it.gated, multiprocessors));
    int batch = tiling.batch();
    int tile = tiling.tile();
    arguments.clear();
    arguments.tensorMap(
        map(
            gated
                ? new Matrix(weights, inputs, outputs, 2, tile / 2, 2)
                : new Matrix(weights, inputs, outputs, 1, tile, 1)));
    arguments.tensorMap(map(new Matrix(x, inputs, batch, 1, batch, 1)));
    arguments.pointer(bias).pointer(y).int32(rows).int32(outputs).int32(inputs);
    arguments.int32(mode.ordinal());
    int threads = 2 * batch + 32;
    LaunchShape grid =
        LaunchShape.of(tiling.splits(), tiling.blocks(multiprocessors), 1, threads)
            .withShared(SHARED_BYTES)
            .withCluster(tiling.splits());
    Objects.requireNonNull(kernels.get(new Shape(batch, tile)))
        .launchEarly(stream, grid, arguments);
  }

  private TensorMap map(Matrix of) {
    return maps.computeIfAbsent(
        of,
        it -> new TensorMap(it.address, it.columns, it.rows, it.parts, it.boxRows, it.boxParts));
  }
}
