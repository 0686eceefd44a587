package io.fusespill.cuda.kernel;

import io.fusespill.cuda.driver.Arguments;
import io.fusespill.cuda.driver.Kernel;
import io.fusespill.cuda.driver.KernelModule;
import io.fusespill.cuda.driver.LaunchShape;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.cuda.driver.TensorMap;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// Products of 33 to 128 rows on compute capability 9.0: `linear_wide.cu`.
final class WideLinear {

  private static final int THREADS = 160;

  private final int multiprocessors;
  private final Kernel[] kernels = new Kernel[WideTiling.BATCHES.length];

  /// Maps take the driver a microsecond to make, and the same are asked for in each step: of each
  /// matrix by the few tilings of it, of each input by its rows, of which there are 128 at most.
  private final Map<Matrix, TensorMap> maps = new HashMap<>();

  private final Map<Product, WideTiling> tilings = new HashMap<>();

  /// A matrix and the boxes it is read by.
  private record Matrix(
      long address, int columns, int rows, int parts, int boxRows, int boxParts) {}

  /// What a tiling depends on.
  private record Product(int rows, int outputs, boolean gated) {}

  WideLinear(KernelModule module, String suffix, int multiprocessors) {
    this.multiprocessors = multiprocessors;
    for (int i = 0; i < kernels.length; i++) {
      kernels[i] = module.kernel("linear_wide_b" + WideTiling.BATCHES[i] + suffix);
      kernels[i].allowShared(Kernels.LINEAR_SHARED_BYTES);
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
    WideTiling tiling = tiling(rows, outputs, gated);
    int half = tiling.half();
    arguments.clear();
    arguments.tensorMap(weights(weights, inputs, outputs, gated, half));
    int larger = tiling.large() > 0 ? half + WideTiling.STEP : half;
    arguments.tensorMap(weights(weights, inputs, outputs, gated, larger));
    arguments.tensorMap(map(new Matrix(x, inputs, rows, 1, tiling.batch(), 1)));
    arguments.pointer(bias).pointer(y).int32(rows).int32(outputs).int32(inputs);
    arguments.int32(mode.ordinal()).int32(half).int32(tiling.large());
    LaunchShape grid =
        LaunchShape.of(tiling.splits(), tiling.tiles(), 1, THREADS)
            .withShared(Kernels.LINEAR_SHARED_BYTES)
            .withCluster(tiling.splits());
    kernels[Arrays.binarySearch(WideTiling.BATCHES, tiling.batch())].launchEarly(
        stream, grid, arguments);
  }

  /// Whether a gated product of more rows than others had best be ours, where there is cuBLASLt.
  boolean takesGated(int rows, int outputs) {
    return rows <= WideTiling.ROWS_MAX && tiling(rows, outputs, true).even(multiprocessors);
  }

  private TensorMap weights(long address, int inputs, int outputs, boolean gated, int half) {
    return map(
        gated
            ? new Matrix(address, inputs, outputs, 2, half, 2)
            : new Matrix(address, inputs, outputs, 1, 2 * half, 1));
  }

  private WideTiling tiling(int rows, int outputs, boolean gated) {
    return tilings.computeIfAbsent(
        new Product(rows, outputs, gated),
        it -> WideTiling.of(it.rows, it.outputs, it.gated, multiprocessors));
  }

  private TensorMap map(Matrix of) {
    return maps.computeIfAbsent(
        of,
        it -> new TensorMap(it.address, it.columns, it.rows, it.parts, it.boxRows, it.boxParts));
  }
}
