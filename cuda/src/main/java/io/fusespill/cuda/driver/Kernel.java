package io.fusespill.cuda.driver;

import java.util.Arrays;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/// A function that runs on the device. A launch costs the host some three microseconds in the
/// driver, and allocates nothing.
public final class Kernel {

  private final KernelModule module;
  private final Handles.FunctionHandle handle;
  private final String name;

  /// Null where the driver does not tell.
  private final int @Nullable [] parameterBytes;

  Kernel(KernelModule module, Handles.FunctionHandle handle, String name) {
    this.module = module;
    this.handle = handle;
    this.name = name;
    parameterBytes = Driver.parameterBytes(handle.address());
  }

  public String name() {
    return name;
  }

  /// Registers that a thread takes.
  public int registers() {
    return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_NUM_REGS);
  }

  /// Bytes of local memory that a thread takes: 0 unless registers spill or an array is indexed.
  public int localBytes() {
    return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);
  }

  /// The version of the PTX that the machine code that runs was compiled from: 90 for compute
  /// capability 9.0.
  public int ptxVersion() {
    return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_PTX_VERSION);
  }

  private int attribute(int attribute) {
    int[] value = new int[1];
    Driver.check(
        JCudaDriver.cuFuncGetAttribute(value, attribute, handle), "reading kernel " + name);
    return value[0];
  }

  /// Lets launches ask for up to `bytes` of dynamic shared memory; without it for 48 KiB.
  ///
  /// @param bytes 0 to the GPU's [GpuInfo#sharedBytesMax], less what the kernel takes itself
  public void allowShared(int bytes) {
    module.checkOpen();
    module.context().bind();
    Driver.check(
        JCudaDriver.cuFuncSetAttribute(
            handle, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes),
        "allowing kernel %s %,d bytes of shared memory".formatted(name, bytes));
  }

  /// Queues a run of the kernel. The arguments are read before this returns.
  ///
  /// @throws IllegalArgumentException if the shape has clusters, or the arguments are not of the
  ///   number and sizes that the kernel was compiled for, where the driver tells (CUDA 12.4 and
  ///   newer)
  public void launch(Stream stream, LaunchShape shape, Arguments arguments) {
    check(arguments);
    if (shape.cluster() > 1) {
      throw new IllegalArgumentException("clusters are for early launches, got " + shape);
    }
    int code = Driver.launchKernel(handle.address(), shape, stream.handle(), arguments.address());
    checkLaunched(code, stream, shape);
  }

  /// The same, but the run may begin while the kernel before it in the stream has not ended, once
  /// that allows it (`griddepcontrol.launch_dependents`). So the kernel itself has to wait
  /// (`griddepcontrol.wait`) before it touches what others write that were launched so, or behind
  /// such. For machine code of compute capability 9.0 and newer.
  public void launchEarly(Stream stream, LaunchShape shape, Arguments arguments) {
    check(arguments);
    long config = arguments.early().of(shape, stream.handle());
    int code = Driver.launchKernelEx(config, handle.address(), arguments.address());
    checkLaunched(code, stream, shape);
  }

  private void check(Arguments arguments) {
    module.checkOpen();
    if (parameterBytes != null && !arguments.fit(parameterBytes)) {
      throw new IllegalArgumentException(
          "kernel %s takes arguments of %s bytes, got %s"
              .formatted(name, Arrays.toString(parameterBytes), arguments));
    }
  }

  private void checkLaunched(int code, Stream stream, LaunchShape shape) {
    if (code != Driver.SUCCESS) {
      throw Driver.failure(
          code, "launching kernel %s as %s on stream %s".formatted(name, shape, stream.name()));
    }
  }
}
