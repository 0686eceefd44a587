package io.fusespill.cuda.driver;

import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/// Kernels that were compiled together. Kernels of a module live as long as it does.
public final class KernelModule extends Resource {

  private final CUmodule handle;
  private final String name;

  KernelModule(Context context, CUmodule handle, String name) {
    super(context, "kernels " + name);
    this.handle = handle;
    this.name = name;
  }

  /// The kernel of that name, as written in an `extern "C"` function.
  ///
  /// @throws CudaException if there is none
  public Kernel kernel(String kernelName) {
    checkOpen();
    context().bind();
    Handles.FunctionHandle function = new Handles.FunctionHandle();
    Driver.check(
        JCudaDriver.cuModuleGetFunction(function, handle, kernelName),
        "looking for kernel %s in %s".formatted(kernelName, name));
    return new Kernel(this, function, kernelName);
  }

  @Override
  int release() {
    return JCudaDriver.cuModuleUnload(handle);
  }
}
