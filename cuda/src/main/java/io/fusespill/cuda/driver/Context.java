package io.fusespill.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/// One user of a GPU: a logical device. All users of a GPU in this process share the driver's
/// primary context, so what one allocates another can read; each counts what it has open.
///
/// Threads: what opens or closes something may be called by any thread and binds this context to
/// it. What works on a stream is for threads that are bound already, by that or by [#bind]. A
/// thread that serves several GPUs binds again when it changes.
public final class Context implements AutoCloseable {

  private static final int PORTABLE = 1;

  private final GpuInfo gpu;
  private final CUdevice device;
  private final CUcontext handle = new CUcontext();
  private final Set<Resource> open = new LinkedHashSet<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  private Context(GpuInfo gpu) {
    this.gpu = gpu;
    device = Cuda.handle(gpu.index());
    Driver.check(
        JCudaDriver.cuDevicePrimaryCtxRetain(handle, device),
        "opening a context on GPU " + gpu.index());
  }

  /// Opens the GPU of that number and binds it to the calling thread.
  ///
  /// @throws CudaException if there is no such GPU, with the reason
  public static Context open(int index) {
    Context context = new Context(Cuda.device(index));
    try {
      context.bind();
      return context;
    } catch (CudaException e) {
      context.release();
      throw e;
    }
  }

  public GpuInfo gpu() {
    return gpu;
  }

  /// Has the calling thread's next calls go to this GPU.
  public void bind() {
    if (closed.get()) {
      throw new IllegalStateException("the context on GPU %d is closed".formatted(gpu.index()));
    }
    int code = tryBind();
    if (code != Driver.SUCCESS) {
      throw Driver.failure(code, "binding GPU %d to a thread".formatted(gpu.index()));
    }
  }

  int tryBind() {
    return JCudaDriver.cuCtxSetCurrent(handle);
  }

  /// Device memory that nobody has taken, in bytes: no process, this one included.
  public long freeBytes() {
    bind();
    long[] free = new long[1];
    long[] total = new long[1];
    Driver.check(
        JCudaDriver.cuMemGetInfo(free, total), "reading the free memory of GPU " + gpu.index());
    return free[0];
  }

  /// Device memory that this context has open, in bytes.
  public long allocatedBytes() {
    synchronized (open) {
      return open.stream()
          .mapToLong(each -> each instanceof DeviceBuffer buffer ? buffer.bytes() : 0)
          .sum();
    }
  }

  /// Device memory, at least 1 byte, whose contents are anything; it begins at a multiple of 256.
  ///
  /// @param name what it is for: "KV pool"
  /// @throws CudaException if there is not that much: [CudaException#isOutOfMemory]
  public DeviceBuffer allocate(long bytes, String name) {
    checkBytes(bytes, name);
    bind();
    Handles.DevicePointer pointer = new Handles.DevicePointer();
    int code = JCudaDriver.cuMemAlloc(pointer, bytes);
    if (code != Driver.SUCCESS) {
      throw Driver.failure(
          code,
          "allocating %s on GPU %d for %s, where %s of %s are free,"
              .formatted(size(bytes), gpu.index(), name, free(), size(gpu.memoryBytes())));
    }
    return new DeviceBuffer(this, pointer, bytes, name);
  }

  /// Host memory that the GPU copies from and to at full speed and beside its work. Taking it is
  /// slow; take it once.
  ///
  /// @param bytes at least 1
  public PinnedBuffer allocatePinned(long bytes, String name) {
    checkBytes(bytes, name);
    bind();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(ValueLayout.JAVA_LONG);
      int code = Driver.hostAlloc(address, bytes, PORTABLE);
      if (code != Driver.SUCCESS) {
        throw Driver.failure(
            code, "allocating %s of pinned host memory for %s".formatted(size(bytes), name));
      }
      return new PinnedBuffer(this, address.get(ValueLayout.JAVA_LONG, 0), bytes, name);
    }
  }

  /// Pins host memory that exists already, for as long as the answer is open. All of it is really
  /// there afterwards, also pages that nobody had touched.
  public PinnedRange pin(MemorySegment memory, String name) {
    checkBytes(memory.byteSize(), name);
    bind();
    int code = Driver.hostRegister(memory.address(), memory.byteSize(), PORTABLE);
    if (code != Driver.SUCCESS) {
      throw Driver.failure(
          code, "pinning %s of host memory, %s,".formatted(size(memory.byteSize()), name));
    }
    return new PinnedRange(this, memory, name);
  }

  /// A queue of work that runs in order, and beside that of other streams.
  public Stream stream(String name) {
    bind();
    Handles.StreamHandle stream = new Handles.StreamHandle();
    Driver.check(
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
        "creating stream " + name);
    return new Stream(this, stream, name);
  }

  /// A mark in a stream, for order alone.
  public Event event() {
    return event(CUevent_flags.CU_EVENT_DISABLE_TIMING, "event");
  }

  /// A mark in a stream that also knows when it was passed.
  public Event timedEvent() {
    return event(CUevent_flags.CU_EVENT_DEFAULT, "timed event");
  }

  private Event event(int flags, String name) {
    bind();
    Handles.EventHandle event = new Handles.EventHandle();
    Driver.check(JCudaDriver.cuEventCreate(event, flags), "creating an event");
    return new Event(this, event, name);
  }

  /// Loads compiled kernels.
  ///
  /// @param image a fatbin, a cubin, or PTX as text
  public KernelModule load(byte[] image, String name) {
    bind();
    CUmodule module = new CUmodule();
    // PTX has to end with a zero; the others know their length.
    byte[] terminated = Arrays.copyOf(image, image.length + 1);
    int code = JCudaDriver.cuModuleLoadData(module, terminated);
    if (code != Driver.SUCCESS) {
      throw Driver.failure(
          code,
          "loading kernels, %s, on GPU %d of compute capability %s,"
              .formatted(name, gpu.index(), gpu.computeCapability()));
    }
    return new KernelModule(this, module, name);
  }

  /// Waits for all work of all users of this GPU in this process.
  public void synchronize() {
    bind();
    Driver.check(JCudaDriver.cuCtxSynchronize(), "waiting for GPU " + gpu.index());
  }

  /// Waits for all work of all users of this GPU in this process, before something is closed, and
  /// says whether the context still works. One that is lost has nothing to wait for.
  public boolean settle() {
    int code = tryBind();
    if (code == Driver.SUCCESS) {
      code = JCudaDriver.cuCtxSynchronize();
    }
    if (code != Driver.SUCCESS && !CudaException.isFatal(code)) {
      throw Driver.failure(code, "waiting for GPU " + gpu.index());
    }
    return code == Driver.SUCCESS;
  }

  /// Several resources of this context that are of use together alone: closing this closes all that
  /// has been opened since, the newest first, unless [#keep] was called.
  public final class Making implements AutoCloseable {

    private final Set<Resource> before;
    private boolean kept;

    private Making() {
      synchronized (open) {
        before = new LinkedHashSet<>(open);
      }
    }

    /// All of it is made, and somebody else closes it.
    public void keep() {
      kept = true;
    }

    @Override
    public void close() {
      if (kept) {
        return;
      }
      List<Resource> made;
      synchronized (open) {
        made = new ArrayList<>(open);
      }
      made.removeAll(before);
      closeAll(made);
    }
  }

  /// Begins to make something of several resources. Nobody else must open any in this context
  /// meanwhile.
  public Making make() {
    return new Making();
  }

  /// Closes all, the newest first, also where one of them fails.
  private static void closeAll(List<Resource> resources) {
    RuntimeException failure = null;
    for (Resource each : resources.reversed()) {
      try {
        each.close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /// What is open, in order of opening: "buffer KV pool (9.0 GiB)", "stream compute".
  public List<String> openResources() {
    synchronized (open) {
      return open.stream().map(Resource::toString).toList();
    }
  }

  /// Gives up this use of the GPU. Nothing must be open: what is, is closed and named in the
  /// exception. Does nothing the second time.
  ///
  /// @throws IllegalStateException if something was open
  @Override
  public void close() {
    if (closed.get()) {
      return;
    }
    List<Resource> left;
    synchronized (open) {
      left = new ArrayList<>(open);
    }
    try {
      closeAll(left);
    } finally {
      release();
    }
    if (!left.isEmpty()) {
      throw new IllegalStateException(
          "the context on GPU %d was closed with %d resources open: %s"
              .formatted(
                  gpu.index(),
                  left.size(),
                  left.stream().map(Resource::toString).collect(Collectors.joining(", "))));
    }
  }

  private void release() {
    if (closed.compareAndSet(false, true)) {
      int code = JCudaDriver.cuDevicePrimaryCtxRelease(device);
      if (code != Driver.SUCCESS && !CudaException.isFatal(code)) {
        throw Driver.failure(code, "closing the context on GPU " + gpu.index());
      }
    }
  }

  void opened(Resource resource) {
    synchronized (open) {
      open.add(resource);
    }
  }

  void closed(Resource resource) {
    synchronized (open) {
      open.remove(resource);
    }
  }

  private String free() {
    long[] free = new long[1];
    long[] total = new long[1];
    return JCudaDriver.cuMemGetInfo(free, total) == Driver.SUCCESS
        ? size(free[0])
        : "an unknown number";
  }

  private static void checkBytes(long bytes, String name) {
    if (bytes < 1) {
      throw new IllegalArgumentException(
          "bytes of %s must be at least 1, got %d".formatted(name, bytes));
    }
  }

  static String size(long bytes) {
    return bytes < 10L << 20
        ? String.format(Locale.ROOT, "%,d bytes", bytes)
        : String.format(Locale.ROOT, "%,.1f MiB", bytes / (double) (1 << 20));
  }
}
