package io.fusespill.cuda.blas;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.CudaException;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.host.checkpoint.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Linear layers by cuBLASLt, summed in float32.
///
/// The algorithm for a shape is chosen at its first use and kept, so the first use takes longer.
/// Every product costs the host some ten microseconds in the library; a graph has them once.
///
/// For one thread at a time, bound to the context, and for one stream at a time: all products share
/// one workspace.
public final class CublasLt implements AutoCloseable {

  /* cuBLAS thinks in columns. A matrix row by row is its transpose column by column, so
   * y = x · Wᵀ is computed as yᵀ = W · xᵀ: W, stored as inputs × outputs by columns, is transposed,
   * xᵀ and yᵀ lie there as they are. The bias is along yᵀ's rows, which are y's columns. */

  private static final long WORKSPACE_BYTES = 32L << 20;
  private static final int ALIGNMENT_MAX = 256;

  private final Context context;
  private final CublasApi api;
  private final Path library;
  private final Arena arena = Arena.ofShared();
  private final DeviceBuffer workspace;
  private final long handle;
  private final MemorySegment one;
  private final MemorySegment zero;
  private final MemorySegment bias;
  private final Map<Key, Plan> plans = new LinkedHashMap<>();
  private boolean closed;

  /// @param alignment what all addresses are a multiple of, at most 256
  private record Key(LinearShape shape, int alignment) {}

  private record Plan(
      long operation, long weights, long input, long output, MemorySegment algorithm, long bytes) {}

  private CublasLt(Context context, Path library) {
    this.context = context;
    this.library = library;
    api = new CublasApi(library);
    context.bind();
    workspace = context.allocate(WORKSPACE_BYTES, "cuBLASLt's workspace");
    handle = create();
    one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
    zero = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0);
    bias = arena.allocate(ValueLayout.JAVA_LONG);
  }

  private long create() {
    try {
      return api.create();
    } catch (RuntimeException e) {
      workspace.close();
      throw e;
    }
  }

  /// Loads the library that [CublasLibrary#find] finds, for that GPU.
  ///
  /// @throws CudaException if there is none, with where it was looked for
  public static CublasLt open(Context context) {
    return new CublasLt(context, CublasLibrary.find().require());
  }

  /// The same, or nothing where no library is found.
  public static Optional<CublasLt> openIfFound(Context context) {
    return CublasLibrary.find().library().map(library -> new CublasLt(context, library));
  }

  /// The file that was loaded.
  public Path library() {
    return library;
  }

  /// For example `13.1.1`.
  public String version() {
    long version = api.version();
    return "%d.%d.%d".formatted(version / 10_000, version % 10_000 / 100, version % 100);
  }

  /// y = x · Wᵀ, with what the shape says beside. All are addresses of device memory and multiples
  /// of 16.
  ///
  /// @param biasAddress 0 unless the shape has a bias
  public void linear(
      Stream stream, LinearShape shape, long x, long weights, long biasAddress, long y) {
    if ((biasAddress != 0) != shape.bias()) {
      throw new IllegalArgumentException(
          "a bias must be given if and only if the shape has one, got 0x%x for %s"
              .formatted(biasAddress, shape));
    }
    Plan plan = plan(shape, Math.toIntExact(Long.lowestOneBit(x | weights | y | ALIGNMENT_MAX)));
    if (shape.bias()) {
      bias.set(ValueLayout.JAVA_LONG, 0, biasAddress);
      api.setOperation(plan.operation, CublasApi.OPERATION_BIAS_POINTER, bias);
    }
    api.multiply(
        handle,
        plan.operation,
        one,
        weights,
        plan.weights,
        x,
        plan.input,
        shape.accumulate() ? one : zero,
        y,
        plan.output,
        plan.algorithm,
        workspace.address(),
        plan.bytes,
        stream.handle(),
        shape);
  }

  private Plan plan(LinearShape shape, int alignment) {
    if (closed) {
      throw new IllegalStateException("cuBLASLt is closed");
    }
    return plans.computeIfAbsent(new Key(shape, alignment), this::choose);
  }

  private Plan choose(Key key) {
    LinearShape shape = key.shape();
    long operation = api.createOperation();
    api.setOperation(operation, CublasApi.OPERATION_TRANSPOSE_A, CublasApi.TRANSPOSED);
    if (shape.bias()) {
      api.setOperation(operation, CublasApi.OPERATION_EPILOGUE, CublasApi.EPILOGUE_BIAS);
      // Some choices depend on the address being there.
      bias.set(ValueLayout.JAVA_LONG, 0, workspace.address());
      api.setOperation(operation, CublasApi.OPERATION_BIAS_POINTER, bias);
    }
    int type = number(shape.type());
    long weights = api.createLayout(type, shape.inputs(), shape.outputs());
    long input = api.createLayout(type, shape.inputs(), shape.rows());
    long output = api.createLayout(number(shape.output()), shape.outputs(), shape.rows());
    MemorySegment result = arena.allocate(CublasApi.HEURISTIC_BYTES, Long.BYTES);
    long bytes =
        api.chooseAlgorithm(
            handle,
            operation,
            weights,
            input,
            output,
            WORKSPACE_BYTES,
            key.alignment(),
            result,
            shape);
    return new Plan(operation, weights, input, output, result, bytes);
  }

  private static int number(ElementType type) {
    return switch (type) {
      case F32 -> CublasApi.TYPE_F32;
      case F16 -> CublasApi.TYPE_F16;
      case BF16 -> CublasApi.TYPE_BF16;
    };
  }

  /// Gives back the workspace and what was chosen. No product must be under way, and no graph with
  /// one be launched afterwards. Does nothing the second time.
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    // The library fails at everything once the context is lost, and what it has went with that.
    if (context.settle()) {
      for (Plan plan : plans.values()) {
        api.destroyOperation(plan.operation);
        api.destroyLayout(plan.weights);
        api.destroyLayout(plan.input);
        api.destroyLayout(plan.output);
      }
      api.destroy(handle);
    }
    workspace.close();
    arena.close();
  }
}
