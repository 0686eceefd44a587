package io.fusespill.cuda.driver;

import jcuda.driver.CUgraph;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/// A queue of work on a device that runs in order. Methods return as soon as the work is queued,
/// unless they say that they wait. A failure of the work itself shows at a later call.
///
/// For one thread at a time, bound to the [Context].
///
/// Addresses are numbers: those of device memory from [DeviceBuffer], those of host memory from
/// [PinnedBuffer] or a pinned [java.lang.foreign.MemorySegment]. Copies from and to host memory
/// that is not pinned are right as well, but slow, and they wait. Nobody checks a range: what is
/// outside of every buffer is an error of the driver's, what is inside of another one is written
/// over.
public final class Stream extends Resource {

  private final Handles.StreamHandle handle;
  private final String name;

  Stream(Context context, Handles.StreamHandle handle, String name) {
    super(context, "stream " + name);
    this.handle = handle;
    this.name = name;
  }

  /// The driver's `CUstream`, for libraries.
  public long handle() {
    checkOpen();
    return handle.address();
  }

  /// Copies from host memory to device memory. The host's bytes must stay until it is done.
  public void copyToDevice(long target, long hostSource, long bytes) {
    int code = Driver.copyToDevice(target, hostSource, bytes, handle());
    if (code != Driver.SUCCESS) {
      throw copyFailed(code, "to the device", target, hostSource, bytes);
    }
  }

  /// Copies from device memory to host memory.
  public void copyToHost(long hostTarget, long source, long bytes) {
    int code = Driver.copyToHost(hostTarget, source, bytes, handle());
    if (code != Driver.SUCCESS) {
      throw copyFailed(code, "to the host", hostTarget, source, bytes);
    }
  }

  /// Copies within device memory; the two ranges do not overlap.
  public void copyOnDevice(long target, long source, long bytes) {
    int code = Driver.copyOnDevice(target, source, bytes, handle());
    if (code != Driver.SUCCESS) {
      throw copyFailed(code, "on the device", target, source, bytes);
    }
  }

  /// Writes `value` to each byte of a range of device memory.
  public void fill(long target, byte value, long bytes) {
    int code = Driver.fill(target, value, bytes, handle());
    if (code != Driver.SUCCESS) {
      throw Driver.failure(
          code, "filling %,d bytes at 0x%x on stream %s".formatted(bytes, target, name));
    }
  }

  /// Puts the mark behind all work so far.
  public void record(Event event) {
    int code = Driver.eventRecord(event.handle(), handle());
    if (code != Driver.SUCCESS) {
      throw Driver.failure(code, "recording an event on stream " + name);
    }
  }

  /// Lets later work of this stream begin only once the event is passed, as it is recorded now.
  public void await(Event event) {
    int code = Driver.streamWaitEvent(handle(), event.handle());
    if (code != Driver.SUCCESS) {
      throw Driver.failure(code, "having stream %s wait for an event".formatted(name));
    }
  }

  /// Whether all work is done. Never waits.
  public boolean isIdle() {
    int code = Driver.streamQuery(handle());
    if (code == Driver.NOT_READY) {
      return false;
    }
    Driver.check(code, "asking for stream " + name);
    return true;
  }

  /// Waits until all work is done.
  public void synchronize() {
    checkOpen();
    Driver.check(JCudaDriver.cuStreamSynchronize(handle), "waiting for stream " + name);
  }

  /// Records what `work` puts into this stream, and into streams that wait for it and that it waits
  /// for in the end, without doing it. `work` must not wait for the device, nor allocate.
  ///
  /// @param graphName what it does: "decode of 8"
  public Graph capture(String graphName, Runnable work) {
    checkOpen();
    String capturing = "capturing graph %s on stream %s".formatted(graphName, name);
    Driver.check(
        JCudaDriver.cuStreamBeginCapture(
            handle, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
        capturing);
    CUgraph recorded = new CUgraph();
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      if (JCudaDriver.cuStreamEndCapture(handle, recorded) == Driver.SUCCESS) {
        JCudaDriver.cuGraphDestroy(recorded);
      }
      throw e;
    }
    Driver.check(JCudaDriver.cuStreamEndCapture(handle, recorded), capturing);
    Handles.GraphHandle graph = new Handles.GraphHandle();
    int code = JCudaDriver.cuGraphInstantiate(graph, recorded, 0);
    JCudaDriver.cuGraphDestroy(recorded);
    Driver.check(code, "making graph %s ready".formatted(graphName));
    return new Graph(context(), graph, graphName);
  }

  String name() {
    return name;
  }

  private CudaException copyFailed(int code, String where, long target, long source, long bytes) {
    return Driver.failure(
        code,
        "copying %,d bytes %s, from 0x%x to 0x%x on stream %s,"
            .formatted(bytes, where, source, target, name));
  }

  @Override
  int release() {
    return JCudaDriver.cuStreamDestroy(handle);
  }
}
