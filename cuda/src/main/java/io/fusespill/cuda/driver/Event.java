package io.fusespill.cuda.driver;

import jcuda.driver.JCudaDriver;

/// A mark in a stream: it is passed once all work is done that was in the stream when it was
/// recorded. An event that was never recorded counts as passed. Recording again moves it.
public final class Event extends Resource {

  private final Handles.EventHandle handle;

  Event(Context context, Handles.EventHandle handle, String name) {
    super(context, name);
    this.handle = handle;
  }

  /// Whether it is passed. Never waits.
  ///
  /// @throws CudaException also if work before it failed
  public boolean isPassed() {
    int code = Driver.eventQuery(handle.address());
    if (code == Driver.NOT_READY) {
      return false;
    }
    Driver.check(code, "asking for an event");
    return true;
  }

  /// Waits until it is passed.
  ///
  /// @throws CudaException also if work before it failed
  public void synchronize() {
    checkOpen();
    Driver.check(JCudaDriver.cuEventSynchronize(handle), "waiting for an event");
  }

  /// Milliseconds on the device from `earlier` to this; both are timed and passed.
  public double millisSince(Event earlier) {
    checkOpen();
    float[] millis = new float[1];
    Driver.check(
        JCudaDriver.cuEventElapsedTime(millis, earlier.handle, handle),
        "reading the time between two events");
    return millis[0];
  }

  long handle() {
    return handle.address();
  }

  @Override
  int release() {
    return JCudaDriver.cuEventDestroy(handle);
  }
}
