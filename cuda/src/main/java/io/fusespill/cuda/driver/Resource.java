package io.fusespill.cuda.driver;

import java.util.concurrent.atomic.AtomicBoolean;

/// What is open in a context and has to be closed before it.
abstract class Resource implements AutoCloseable {

  private final Context context;
  private final String name;
  private final AtomicBoolean closed = new AtomicBoolean();

  /// @param name what it is, for messages: "stream compute"
  Resource(Context context, String name) {
    this.context = context;
    this.name = name;
    context.opened(this);
  }

  final Context context() {
    return context;
  }

  /// The driver's answer to giving it back.
  abstract int release();

  /// Gives it back. Whatever still works with it on the device is not waited for, but by the
  /// driver. Binds the context to the calling thread. Does nothing the second time, and nothing is
  /// said of a context that is lost already.
  @Override
  public final void close() {
    if (closed.compareAndSet(false, true)) {
      int code = context.tryBind();
      if (code == Driver.SUCCESS) {
        code = release();
      }
      context.closed(this);
      if (code != Driver.SUCCESS && !CudaException.isFatal(code)) {
        throw Driver.failure(code, "closing " + name);
      }
    }
  }

  final void checkOpen() {
    if (closed.get()) {
      throw new IllegalStateException(name + " is closed");
    }
  }

  @Override
  public final String toString() {
    return name;
  }
}
