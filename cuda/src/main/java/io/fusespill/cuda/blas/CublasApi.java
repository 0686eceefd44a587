package io.fusespill.cuda.blas;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.fusespill.cuda.driver.CudaException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The functions of cuBLASLt that linear layers need. Pointers to what the library owns, and to
/// device memory, are numbers.
///
/// Numbers of types and attributes are those of `library_types.h`, `cublas_api.h` and `cublasLt.h`
/// of CUDA 12 and 13.
final class CublasApi {

  static final int TYPE_F32 = 0;
  static final int TYPE_F16 = 2;
  static final int TYPE_BF16 = 14;

  static final int OPERATION_TRANSPOSE_A = 3;
  static final int OPERATION_EPILOGUE = 7;
  static final int OPERATION_BIAS_POINTER = 8;
  static final int TRANSPOSED = 1;
  static final int EPILOGUE_BIAS = 4;

  /// `cublasLtMatmulHeuristicResult_t`: the algorithm (64 bytes), the workspace, the state, the
  /// waves, and 16 bytes in reserve.
  static final long HEURISTIC_BYTES = 96;

  private static final long HEURISTIC_WORKSPACE = 64;
  private static final long HEURISTIC_STATE = 72;

  private static final int COMPUTE_F32 = 68;
  private static final int PREFERENCE_WORKSPACE = 1;
  private static final int PREFERENCE_ALIGNMENT_A = 5;
  private static final int PREFERENCE_ALIGNMENT_D = 8;
  private static final int SUCCESS = 0;
  private static final int NOT_SUPPORTED = 15;

  private final SymbolLookup symbols;
  private final Path library;
  private final MethodHandle create;
  private final MethodHandle destroy;
  private final MethodHandle version;
  private final MethodHandle statusName;
  private final MethodHandle operationCreate;
  private final MethodHandle operationDestroy;
  private final MethodHandle operationSet;
  private final MethodHandle layoutCreate;
  private final MethodHandle layoutDestroy;
  private final MethodHandle preferenceCreate;
  private final MethodHandle preferenceDestroy;
  private final MethodHandle preferenceSet;
  private final MethodHandle heuristic;
  private final MethodHandle multiply;

  @SuppressWarnings("restricted")
  CublasApi(Path library) {
    this.library = library;
    try {
      symbols = SymbolLookup.libraryLookup(library, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new CudaException("cuBLASLt does not load from %s".formatted(library));
    }
    create = status("cublasLtCreate", ADDRESS);
    destroy = status("cublasLtDestroy", JAVA_LONG);
    version = function("cublasLtGetVersion", FunctionDescriptor.of(JAVA_LONG));
    statusName = function("cublasLtGetStatusName", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    operationCreate = status("cublasLtMatmulDescCreate", ADDRESS, JAVA_INT, JAVA_INT);
    operationDestroy = status("cublasLtMatmulDescDestroy", JAVA_LONG);
    operationSet =
        status("cublasLtMatmulDescSetAttribute", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    layoutCreate =
        status("cublasLtMatrixLayoutCreate", ADDRESS, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    layoutDestroy = status("cublasLtMatrixLayoutDestroy", JAVA_LONG);
    preferenceCreate = status("cublasLtMatmulPreferenceCreate", ADDRESS);
    preferenceDestroy = status("cublasLtMatmulPreferenceDestroy", JAVA_LONG);
    preferenceSet =
        status("cublasLtMatmulPreferenceSetAttribute", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    heuristic =
        status(
            "cublasLtMatmulAlgoGetHeuristic",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            ADDRESS,
            ADDRESS);
    multiply =
        status(
            "cublasLtMatmul",
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG);
  }

  long create() {
    return created("starting cuBLASLt", pointer -> (int) create.invokeExact(pointer));
  }

  void destroy(long handle) {
    check("closing cuBLASLt", () -> (int) destroy.invokeExact(handle));
  }

  long version() {
    try {
      return (long) version.invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /// A product that is summed in float32.
  long createOperation() {
    return created(
        "describing a product",
        pointer -> (int) operationCreate.invokeExact(pointer, COMPUTE_F32, TYPE_F32));
  }

  void destroyOperation(long operation) {
    check("closing a product", () -> (int) operationDestroy.invokeExact(operation));
  }

  void setOperation(long operation, int attribute, int value) {
    try (Arena arena = Arena.ofConfined()) {
      setOperation(operation, attribute, arena.allocateFrom(JAVA_INT, value));
    }
  }

  void setOperation(long operation, int attribute, MemorySegment value) {
    check(
        "describing a product",
        () -> (int) operationSet.invokeExact(operation, attribute, value, value.byteSize()));
  }

  /// A matrix by columns, without gaps.
  long createLayout(int type, long rows, long columns) {
    return created(
        "describing a matrix of %d x %d".formatted(rows, columns),
        pointer -> (int) layoutCreate.invokeExact(pointer, type, rows, columns, rows));
  }

  void destroyLayout(long layout) {
    check("closing a matrix", () -> (int) layoutDestroy.invokeExact(layout));
  }

  /// Writes the algorithm that the library thinks fastest to `result`.
  ///
  /// @return bytes of workspace that it needs
  long chooseAlgorithm(
      long handle,
      long operation,
      long a,
      long b,
      long d,
      long workspaceBytes,
      int alignment,
      MemorySegment result,
      LinearShape shape) {
    String choosing = "choosing cuBLASLt's algorithm for " + shape;
    long preference = created(choosing, pointer -> (int) preferenceCreate.invokeExact(pointer));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(JAVA_LONG, workspaceBytes);
      check(
          choosing,
          () ->
              (int)
                  preferenceSet.invokeExact(
                      preference, PREFERENCE_WORKSPACE, bytes, bytes.byteSize()));
      MemorySegment multiple = arena.allocateFrom(JAVA_INT, alignment);
      for (int i = PREFERENCE_ALIGNMENT_A; i <= PREFERENCE_ALIGNMENT_D; i++) {
        int attribute = i;
        check(
            choosing,
            () ->
                (int)
                    preferenceSet.invokeExact(
                        preference, attribute, multiple, multiple.byteSize()));
      }
      MemorySegment count = arena.allocate(JAVA_INT);
      check(
          choosing,
          () ->
              (int)
                  heuristic.invokeExact(
                      handle, operation, a, b, d, d, preference, 1, result, count));
      check(
          choosing,
          () ->
              count.get(JAVA_INT, 0) == 0 ? NOT_SUPPORTED : result.get(JAVA_INT, HEURISTIC_STATE));
    } finally {
      check(choosing, () -> (int) preferenceDestroy.invokeExact(preference));
    }
    return result.get(JAVA_LONG, HEURISTIC_WORKSPACE);
  }

  void multiply(
      long handle,
      long operation,
      MemorySegment alpha,
      long a,
      long layoutA,
      long b,
      long layoutB,
      MemorySegment beta,
      long d,
      long layoutD,
      MemorySegment algorithm,
      long workspace,
      long workspaceBytes,
      long stream,
      LinearShape shape) {
    int code;
    try {
      code =
          (int)
              multiply.invokeExact(
                  handle,
                  operation,
                  alpha,
                  a,
                  layoutA,
                  b,
                  layoutB,
                  beta,
                  d,
                  layoutD,
                  d,
                  layoutD,
                  algorithm,
                  workspace,
                  workspaceBytes,
                  stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
    if (code != SUCCESS) {
      throw failure(code, "multiplying by cuBLASLt, " + shape);
    }
  }

  private interface Call {
    int make() throws Throwable;
  }

  private interface Creation {
    int make(MemorySegment pointer) throws Throwable;
  }

  private long created(String doing, Creation creation) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(JAVA_LONG);
      check(doing, () -> creation.make(pointer));
      return pointer.get(JAVA_LONG, 0);
    }
  }

  private void check(String doing, Call call) {
    int code;
    try {
      code = call.make();
    } catch (Throwable e) {
      throw unexpected(e);
    }
    if (code != SUCCESS) {
      throw failure(code, doing);
    }
  }

  @SuppressWarnings("restricted")
  private CudaException failure(int code, String doing) {
    String name;
    try {
      MemorySegment text = (MemorySegment) statusName.invokeExact(code);
      name = text.reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable e) {
      throw unexpected(e);
    }
    return new CudaException("%s failed: %s".formatted(doing, name));
  }

  private MethodHandle status(String name, MemoryLayout... parameters) {
    return function(name, FunctionDescriptor.of(JAVA_INT, parameters));
  }

  @SuppressWarnings("restricted")
  private MethodHandle function(String name, FunctionDescriptor descriptor) {
    return symbols
        .find(name)
        .map(address -> Linker.nativeLinker().downcallHandle(address, descriptor))
        .orElseThrow(() ->
            new CudaException(
                "%s has no function %s: cuBLASLt 12 or 13 is needed".formatted(library, name)));
  }

  private static IllegalStateException unexpected(Throwable e) {
    return new IllegalStateException("a call of cuBLASLt could not be made", e);
  }
}
