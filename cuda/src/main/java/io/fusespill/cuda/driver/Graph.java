package io.fusespill.cuda.driver;

import jcuda.driver.JCudaDriver;

/// Recorded work that is launched as a whole: [Stream#capture]. Addresses and arguments are those
/// of the recording.
public final class Graph extends Resource {

  private final Handles.GraphHandle handle;
  private final String name;

  Graph(Context context, Handles.GraphHandle handle, String name) {
    super(context, "graph " + name);
    this.handle = handle;
    this.name = name;
  }

  /// Queues the work on a stream. It runs after its own earlier launches, whatever the stream.
  public void launch(Stream stream) {
    checkOpen();
    int code = Driver.graphLaunch(handle.address(), stream.handle());
    if (code != Driver.SUCCESS) {
      throw Driver.failure(code, "launching graph %s on stream %s".formatted(name, stream.name()));
    }
  }

  @Override
  int release() {
    return JCudaDriver.cuGraphExecDestroy(handle);
  }
}
