package io.fusespill.cuda.driver;

import jcuda.driver.JCudaDriver;

/// A piece of device memory.
public final class DeviceBuffer extends Resource {

  private final Handles.DevicePointer pointer;
  private final long bytes;

  DeviceBuffer(Context context, Handles.DevicePointer pointer, long bytes, String name) {
    super(context, "buffer %s (%s)".formatted(name, Context.size(bytes)));
    this.pointer = pointer;
    this.bytes = bytes;
  }

  /// Where it begins.
  public long address() {
    checkOpen();
    return pointer.address();
  }

  /// The address `offset` bytes into it, 0 to its size.
  public long address(long offset) {
    if (offset < 0 || offset > bytes) {
      throw new IndexOutOfBoundsException(
          "offset must be 0 to %d in %s, got %d".formatted(bytes, this, offset));
    }
    return address() + offset;
  }

  public long bytes() {
    return bytes;
  }

  @Override
  int release() {
    return JCudaDriver.cuMemFree(pointer);
  }
}
