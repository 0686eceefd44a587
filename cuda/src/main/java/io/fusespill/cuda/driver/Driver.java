package io.fusespill.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/// The driver's functions that steps call, and those that take addresses of host memory, by the
/// foreign-function API: JCuda takes two microseconds for a launch and an object for every address.
/// Pointers are numbers here. What is set up once goes through JCuda.
///
/// Touch this class only when [Cuda] has found a driver.
final class Driver {

  static final int SUCCESS = 0;
  static final int INVALID_VALUE = 1;
  static final int NOT_READY = 600;

  private static final SymbolLookup SYMBOLS = Cuda.library();

  private static final MethodHandle LAUNCH_KERNEL =
      function(
          "cuLaunchKernel",
          JAVA_LONG,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle LAUNCH_KERNEL_EX =
      function("cuLaunchKernelEx", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle GRAPH_LAUNCH = function("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle COPY_TO_DEVICE =
      function("cuMemcpyHtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle COPY_TO_HOST =
      function("cuMemcpyDtoHAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle COPY_ON_DEVICE =
      function("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle FILL =
      function("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle EVENT_RECORD = function("cuEventRecord", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle EVENT_QUERY = function("cuEventQuery", JAVA_LONG);
  private static final MethodHandle STREAM_WAIT_EVENT =
      function("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle STREAM_QUERY = function("cuStreamQuery", JAVA_LONG);
  private static final MethodHandle HOST_ALLOC =
      function("cuMemHostAlloc", ValueLayout.ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle HOST_FREE = function("cuMemFreeHost", JAVA_LONG);
  private static final MethodHandle HOST_REGISTER =
      function("cuMemHostRegister_v2", JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle HOST_UNREGISTER = function("cuMemHostUnregister", JAVA_LONG);

  private static final MethodHandle ENCODE_TENSOR_MAP =
      function(
          "cuTensorMapEncodeTiled",
          JAVA_LONG,
          JAVA_INT,
          JAVA_INT,
          JAVA_LONG,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT);

  /// Since CUDA 12.4; null in older drivers.
  private static final @Nullable MethodHandle PARAMETER_INFO =
      optional(
          "cuFuncGetParamInfo", JAVA_LONG, JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.ADDRESS);

  private Driver() {}

  static int launchKernel(long function, LaunchShape shape, long stream, long parameters) {
    try {
      return (int)
          LAUNCH_KERNEL.invokeExact(
              function,
              shape.gridX(),
              shape.gridY(),
              shape.gridZ(),
              shape.blockX(),
              shape.blockY(),
              shape.blockZ(),
              shape.sharedBytes(),
              stream,
              parameters,
              0L);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /// @param config address of a `CUlaunchConfig`
  static int launchKernelEx(long config, long function, long parameters) {
    try {
      return (int) LAUNCH_KERNEL_EX.invokeExact(config, function, parameters, 0L);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int graphLaunch(long graph, long stream) {
    try {
      return (int) GRAPH_LAUNCH.invokeExact(graph, stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int copyToDevice(long target, long source, long bytes, long stream) {
    try {
      return (int) COPY_TO_DEVICE.invokeExact(target, source, bytes, stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int copyToHost(long target, long source, long bytes, long stream) {
    try {
      return (int) COPY_TO_HOST.invokeExact(target, source, bytes, stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int copyOnDevice(long target, long source, long bytes, long stream) {
    try {
      return (int) COPY_ON_DEVICE.invokeExact(target, source, bytes, stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int fill(long target, byte value, long bytes, long stream) {
    try {
      return (int) FILL.invokeExact(target, value, bytes, stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int eventRecord(long event, long stream) {
    try {
      return (int) EVENT_RECORD.invokeExact(event, stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int eventQuery(long event) {
    try {
      return (int) EVENT_QUERY.invokeExact(event);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int streamWaitEvent(long stream, long event) {
    try {
      return (int) STREAM_WAIT_EVENT.invokeExact(stream, event, 0);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int streamQuery(long stream) {
    try {
      return (int) STREAM_QUERY.invokeExact(stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /// Writes the address to `address`.
  static int hostAlloc(MemorySegment address, long bytes, int flags) {
    try {
      return (int) HOST_ALLOC.invokeExact(address, bytes, flags);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int hostFree(long address) {
    try {
      return (int) HOST_FREE.invokeExact(address);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int hostRegister(long address, long bytes, int flags) {
    try {
      return (int) HOST_REGISTER.invokeExact(address, bytes, flags);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int hostUnregister(long address) {
    try {
      return (int) HOST_UNREGISTER.invokeExact(address);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int encodeTensorMap(
      long map,
      int dataType,
      int rank,
      long address,
      MemorySegment sizes,
      MemorySegment strides,
      MemorySegment box,
      MemorySegment elementStrides,
      int interleave,
      int swizzle,
      int promotion,
      int outside) {
    try {
      return (int)
          ENCODE_TENSOR_MAP.invokeExact(
              map,
              dataType,
              rank,
              address,
              sizes,
              strides,
              box,
              elementStrides,
              interleave,
              swizzle,
              promotion,
              outside);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /// Sizes in bytes of a kernel's parameters, or null if the driver does not tell.
  static int @Nullable [] parameterBytes(long function) {
    if (PARAMETER_INFO == null) {
      return null;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment offset = arena.allocate(JAVA_LONG);
      MemorySegment bytes = arena.allocate(JAVA_LONG);
      int[] sizes = new int[Arguments.LARGEST];
      for (int i = 0; i < sizes.length; i++) {
        int code = (int) PARAMETER_INFO.invokeExact(function, (long) i, offset, bytes);
        if (code == INVALID_VALUE) {
          return Arrays.copyOf(sizes, i);
        }
        if (code != SUCCESS) {
          throw failure(code, "reading the parameters of a kernel");
        }
        sizes[i] = Math.toIntExact(bytes.get(JAVA_LONG, 0));
      }
      return sizes;
    } catch (CudaException e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /// Throws unless `code` is success. For calls whose `doing` costs nothing to say.
  static void check(int code, String doing) {
    if (code != SUCCESS) {
      throw failure(code, doing);
    }
  }

  static CudaException failure(int code, String doing) {
    String[] name = new String[1];
    String[] words = new String[1];
    JCudaDriver.cuGetErrorName(code, name);
    JCudaDriver.cuGetErrorString(code, words);
    return new CudaException(code, CudaException.message(code, name[0], words[0], doing));
  }

  private static MethodHandle function(String name, MemoryLayout... parameters) {
    MethodHandle function = optional(name, parameters);
    if (function == null) {
      throw new CudaException(
          "the driver, %s, has no function %s: FuseSpill needs one for CUDA 12 or newer"
              .formatted(Cuda.LIBRARY, name));
    }
    return function;
  }

  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle optional(String name, MemoryLayout... parameters) {
    return SYMBOLS
        .find(name)
        .map(address ->
            Linker.nativeLinker()
                .downcallHandle(address, FunctionDescriptor.of(JAVA_INT, parameters)))
        .orElse(null);
  }

  private static IllegalStateException unexpected(Throwable e) {
    return new IllegalStateException("a call of the driver could not be made", e);
  }
}
