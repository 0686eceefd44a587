package io.fusespill.cuda.driver;

/// How fast bytes go to, from and within a GPU, in bytes a second.
///
/// @param toDevice from pinned host memory
/// @param toHost to pinned host memory
/// @param bothWays both of them at once, together
/// @param onDevice a copy within device memory, read and written bytes counted
public record Bandwidth(long toDevice, long toHost, long bothWays, long onDevice) {

  private static final long LINK_BYTES = 64L << 20;
  private static final long DEVICE_BYTES = 512L << 20;
  private static final int COPIES = 4;
  private static final int ROUNDS = 8;
  private static final long WARM_UP_NANOS = 100_000_000;

  /// Measures them, each as the best of some rounds. Takes less than a second, 128 MiB of pinned
  /// memory, and up to 1 GiB on the device.
  public static Bandwidth measure(Context context) {
    long copied = Math.max(1 << 20, Math.min(DEVICE_BYTES, context.freeBytes() / 8));
    long moved = Math.min(LINK_BYTES, copied);
    try (DeviceBuffer first = context.allocate(copied, "bandwidth, first");
        DeviceBuffer second = context.allocate(copied, "bandwidth, second");
        PinnedBuffer out = context.allocatePinned(moved, "bandwidth, to the device");
        PinnedBuffer in = context.allocatePinned(moved, "bandwidth, to the host");
        Stream stream = context.stream("bandwidth, first");
        Stream other = context.stream("bandwidth, second");
        Clock clock = new Clock(context, stream, other)) {
      Runnable toDevice = () -> stream.copyToDevice(first.address(), out.address(), moved);
      Runnable toHost = () -> stream.copyToHost(in.address(), second.address(), moved);
      Runnable bothWays =
          () -> {
            toDevice.run();
            other.copyToHost(in.address(), second.address(), moved);
          };
      Runnable onDevice = () -> stream.copyOnDevice(second.address(), first.address(), copied);
      clock.warmUp(onDevice);
      clock.warmUp(bothWays);
      return new Bandwidth(
          clock.best(toDevice, moved),
          clock.best(toHost, moved),
          clock.best(bothWays, 2 * moved),
          clock.best(onDevice, 2 * copied));
    }
  }

  /// Times work on two streams, from when the first begins to when both are done.
  private record Clock(Stream stream, Stream other, Event begin, Event middle, Event end)
      implements AutoCloseable {

    Clock(Context context, Stream stream, Stream other) {
      this(stream, other, context.timedEvent(), context.event(), context.timedEvent());
    }

    /// Clocks of memory and link rise with work.
    void warmUp(Runnable copy) {
      long begin = System.nanoTime();
      do {
        millis(copy);
      } while (System.nanoTime() - begin < WARM_UP_NANOS);
    }

    long best(Runnable copy, long bytes) {
      double best = Double.MAX_VALUE;
      for (int i = 0; i < ROUNDS; i++) {
        best = Math.min(best, millis(copy));
      }
      return Math.max(1, (long) (bytes * COPIES * 1e3 / best));
    }

    private double millis(Runnable copy) {
      stream.record(begin);
      other.await(begin);
      for (int i = 0; i < COPIES; i++) {
        copy.run();
      }
      other.record(middle);
      stream.await(middle);
      stream.record(end);
      end.synchronize();
      return end.millisSince(begin);
    }

    @Override
    public void close() {
      begin.close();
      middle.close();
      end.close();
    }
  }
}
