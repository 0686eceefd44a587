package io.fusespill.cuda.driver;

import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstream;

/// JCuda's objects, with the numbers that they stand for.
final class Handles {

  private Handles() {}

  static final class DevicePointer extends CUdeviceptr {
    long address() {
      return getNativePointer();
    }
  }

  static final class StreamHandle extends CUstream {
    long address() {
      return getNativePointer();
    }
  }

  static final class EventHandle extends CUevent {
    long address() {
      return getNativePointer();
    }
  }

  static final class FunctionHandle extends CUfunction {
    long address() {
      return getNativePointer();
    }
  }

  static final class GraphHandle extends CUgraphExec {
    long address() {
      return getNativePointer();
    }
  }
}
