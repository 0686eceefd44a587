package io.fusespill.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What the driver does on a real GPU. Closing the context after each test finds what it left open.
@Tag("gpu")
final class DeviceTest {

  private static final int FLOATS = 1 << 20;
  private static final long BYTES = 4L * FLOATS;

  private Context context;
  private boolean leaks;

  @BeforeEach
  void open() {
    context = Context.open(0);
  }

  @AfterEach
  void close() {
    if (!leaks) {
      context.close();
    }
  }

  private static void fill(MemorySegment memory, long seed) {
    for (long i = 0; i < memory.byteSize() / 8; i++) {
      memory.setAtIndex(JAVA_LONG, i, (seed + i) * 0x9E3779B97F4A7C15L);
    }
  }

  private byte[] axpy() throws IOException {
    try (InputStream in = getClass().getResourceAsStream("axpy.ptx")) {
      return in.readAllBytes();
    }
  }

  @Test
  void device_isDescribed() {
    GpuInfo gpu = context.gpu();
    assertThat(gpu.name()).contains("NVIDIA");
    assertThat(gpu.major()).isGreaterThanOrEqualTo(8);
    assertThat(gpu.multiprocessors()).isPositive();
    assertThat(context.freeBytes()).isPositive().isLessThanOrEqualTo(gpu.memoryBytes());
    assertThat(gpu.pciAddress()).matches("[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.\\d");
    assertThat(Cuda.driverVersion().orElseThrow()).matches("\\d+\\.\\d");
    assertThatThrownBy(() -> Context.open(99))
        .hasMessageContaining("GPU 99 does not exist: this machine has " + Cuda.devices().size());
  }

  @Test
  void copies_roundTrip_fromPinnedPageableAndPinnedLater() {
    KvShape shape = new KvShape(2, 2, 64, 16, ElementType.BF16);
    try (Arena arena = Arena.ofConfined();
        KvPool pool = KvPool.of(shape, 64);
        DeviceBuffer device = context.allocate(BYTES, "there");
        DeviceBuffer twin = context.allocate(BYTES, "twin");
        PinnedBuffer pinned = context.allocatePinned(BYTES, "here");
        PinnedRange range = context.pin(pool.memory(), "pool");
        Stream stream = context.stream("copies")) {
      assertThat(device.address() % 256).isZero();
      MemorySegment pageable = arena.allocate(BYTES, 64);
      for (MemorySegment source : new MemorySegment[] {pinned.memory(), pageable, pool.memory()}) {
        long bytes = Math.min(BYTES, source.byteSize());
        fill(source, bytes);
        byte[] before = source.asSlice(0, bytes).toArray(JAVA_BYTE);
        stream.fill(twin.address(), (byte) 7, BYTES);
        stream.copyToDevice(device.address(), source.address(), bytes);
        stream.copyOnDevice(twin.address(), device.address(), bytes);
        stream.synchronize();
        source.fill((byte) 1);
        stream.copyToHost(source.address(), twin.address(), bytes);
        stream.synchronize();
        assertThat(source.asSlice(0, bytes).toArray(JAVA_BYTE)).isEqualTo(before);
      }
      // A range within a buffer, and nothing beside it.
      stream.fill(device.address(), (byte) 0, BYTES);
      stream.fill(device.address(16), (byte) 5, 16);
      stream.copyToHost(pinned.address(), device.address(), 48);
      stream.synchronize();
      assertThat(pinned.memory().get(JAVA_LONG, 8)).isZero();
      assertThat(pinned.memory().get(JAVA_LONG, 16)).isEqualTo(0x0505050505050505L);
      assertThat(pinned.memory().get(JAVA_LONG, 32)).isZero();
      assertThat(range)
          .hasToString(
              "pinned range pool (1,048,576 bytes)"
                  .replace("1,048,576", "%,d".formatted(pool.memory().byteSize())));
    }
  }

  @Test
  void streams_runInOrder_andWaitForEvents() {
    try (DeviceBuffer device = context.allocate(BYTES, "d");
        PinnedBuffer host = context.allocatePinned(BYTES, "h");
        Stream first = context.stream("first");
        Stream second = context.stream("second");
        Event done = context.event()) {
      assertThat(done.isPassed()).isTrue();
      for (int i = 1; i <= 50; i++) {
        first.fill(device.address(), (byte) i, BYTES);
        first.record(done);
        second.await(done);
        second.copyToHost(host.address(), device.address(), BYTES);
        second.record(done);
        first.await(done);
        second.synchronize();
        assertThat(host.memory().get(JAVA_BYTE, BYTES - 1)).isEqualTo((byte) i);
      }
      assertThat(second.isIdle()).isTrue();
    }
  }

  @Test
  void timedEvents_measureTheDevice() {
    try (DeviceBuffer a = context.allocate(64L << 20, "a");
        DeviceBuffer b = context.allocate(64L << 20, "b");
        Stream stream = context.stream("s");
        Event begin = context.timedEvent();
        Event end = context.timedEvent()) {
      stream.record(begin);
      for (int i = 0; i < 20; i++) {
        stream.copyOnDevice(a.address(), b.address(), a.bytes());
      }
      stream.record(end);
      end.synchronize();
      assertThat(end.isPassed()).isTrue();
      assertThat(end.millisSince(begin)).isBetween(0.05, 10_000.0);
    }
  }

  @Test
  void kernels_runWithTheirArguments() throws IOException {
    try (KernelModule module = context.load(axpy(), "axpy");
        DeviceBuffer x = context.allocate(BYTES, "x");
        DeviceBuffer y = context.allocate(BYTES, "y");
        PinnedBuffer host = context.allocatePinned(BYTES, "h");
        Stream stream = context.stream("s")) {
      for (int i = 0; i < FLOATS; i++) {
        host.memory().setAtIndex(JAVA_FLOAT, i, i % 1000);
      }
      stream.copyToDevice(x.address(), host.address(), BYTES);
      stream.copyToDevice(y.address(), host.address(), BYTES);
      Kernel kernel = module.kernel("axpy");
      assertThat(kernel.registers()).isPositive();
      assertThat(kernel.localBytes()).isZero();
      LaunchShape shape = LaunchShape.of(FLOATS / 256, 256);
      Arguments arguments = new Arguments();
      arguments.pointer(y.address()).pointer(x.address()).float32(2).int32(FLOATS - 1);
      kernel.launch(stream, shape, arguments);
      // The memory of the arguments is free again at once.
      arguments.clear().pointer(y.address()).pointer(x.address()).float32(10).int32(10);
      kernel.launch(stream, shape, arguments);
      stream.copyToHost(host.address(), y.address(), BYTES);
      stream.synchronize();
      for (int i = 0; i < FLOATS; i++) {
        float expected = i % 1000 * (i < 10 ? 13f : i < FLOATS - 1 ? 3f : 1f);
        assertThat(host.memory().getAtIndex(JAVA_FLOAT, i)).isEqualTo(expected);
      }
      assertThatThrownBy(() -> kernel.launch(stream, shape, arguments.clear().int32(1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("[8, 8, 4, 4]")
          .hasMessageContaining("[4]");
      assertThatThrownBy(() -> module.kernel("no_such_kernel"))
          .hasMessageContaining("no_such_kernel")
          .hasMessageContaining("CUDA_ERROR_NOT_FOUND");
      assertThatThrownBy(() -> kernel.allowShared(1 << 30)).hasMessageContaining("1,073,741,824");
      kernel.allowShared(64 << 10);
    }
  }

  @Test
  void graphs_doTheirWorkAtEachLaunch_andNotWhenCaptured() throws IOException {
    try (KernelModule module = context.load(axpy(), "axpy");
        DeviceBuffer x = context.allocate(BYTES, "x");
        DeviceBuffer y = context.allocate(BYTES, "y");
        PinnedBuffer host = context.allocatePinned(BYTES, "h");
        Stream stream = context.stream("s");
        Stream side = context.stream("side");
        Event fork = context.event();
        Event join = context.event()) {
      host.memory().setAtIndex(JAVA_FLOAT, 0, 1);
      Kernel kernel = module.kernel("axpy");
      Arguments arguments = new Arguments();
      stream.fill(y.address(), (byte) 0, BYTES);
      try (Graph graph =
          stream.capture(
              "copy and add",
              () -> {
                stream.copyToDevice(x.address(), host.address(), BYTES);
                stream.record(fork);
                side.await(fork);
                kernel.launch(
                    side,
                    LaunchShape.of(1, 32),
                    arguments
                        .clear()
                        .pointer(y.address())
                        .pointer(x.address())
                        .float32(1)
                        .int32(1));
                side.record(join);
                stream.await(join);
              })) {
        stream.synchronize();
        for (int i = 1; i <= 3; i++) {
          graph.launch(stream);
        }
        stream.copyToHost(host.address(), y.address(), 4);
        stream.synchronize();
        assertThat(host.memory().getAtIndex(JAVA_FLOAT, 0)).isEqualTo(3f);
      }
      assertThatThrownBy(() ->
              stream.capture(
                  "broken",
                  () -> {
                    throw new IllegalStateException("on purpose");
                  }))
          .hasMessage("on purpose");
      stream.fill(x.address(), (byte) 0, 4);
      stream.synchronize();
    }
  }

  @Test
  void outOfMemory_saysWhatAndHowMuch_andNothingIsLost() {
    CudaException e =
        catchThrowableOfType(CudaException.class, () -> context.allocate(1L << 50, "everything"));
    assertThat(e.isOutOfMemory()).isTrue();
    assertThat(e.isFatal()).isFalse();
    assertThat(e)
        .hasMessageContaining("everything")
        .hasMessageContaining("1,073,741,824.0 MiB")
        .hasMessageContaining("CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
    assertThat(context.openResources()).isEmpty();
    context.allocate(BYTES, "still works").close();
  }

  @Test
  void close_withSomethingOpen_namesItAndGivesItBack() {
    leaks = true;
    long before = context.freeBytes();
    DeviceBuffer buffer = context.allocate(256L << 20, "forgotten");
    context.stream("lost");
    assertThat(context.allocatedBytes()).isEqualTo(256L << 20);
    assertThatThrownBy(context::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("2 resources open: buffer forgotten (256.0 MiB), stream lost");
    assertThatThrownBy(buffer::address).hasMessageContaining("forgotten (256.0 MiB) is closed");
    assertThatThrownBy(context::bind).hasMessageContaining("closed");
    try (Context again = Context.open(0)) {
      assertThat(again.freeBytes()).isGreaterThan(before - (64L << 20));
    }
  }

  @Test
  void usersOfOneGpu_shareMemory_butNotTheCount() {
    try (Context other = Context.open(0);
        DeviceBuffer mine = context.allocate(BYTES, "mine");
        PinnedBuffer host = other.allocatePinned(8, "h");
        Stream theirs = other.stream("theirs")) {
      assertThat(context.openResources()).containsExactly("buffer mine (4,194,304 bytes)");
      assertThat(other.allocatedBytes()).isZero();
      theirs.fill(mine.address(), (byte) 3, 8);
      theirs.copyToHost(host.address(), mine.address(), 8);
      theirs.synchronize();
      assertThat(host.memory().get(JAVA_LONG, 0)).isEqualTo(0x0303030303030303L);
    }
  }

  @Test
  void threads_needTheContextBound() {
    try (DeviceBuffer device = context.allocate(BYTES, "d");
        Stream stream = context.stream("s")) {
      CompletableFuture.runAsync(
              () -> {
                context.bind();
                stream.fill(device.address(), (byte) 1, BYTES);
                stream.synchronize();
              },
              Thread.ofPlatform()::start)
          .join();
    }
  }

  @Test
  void bandwidth_isPlausible() {
    Bandwidth measured = Bandwidth.measure(context);
    assertThat(measured.toDevice()).isBetween(1_000_000_000L, 1_000_000_000_000L);
    assertThat(measured.toHost()).isBetween(1_000_000_000L, 1_000_000_000_000L);
    assertThat(measured.bothWays()).isGreaterThan(measured.toDevice() / 2);
    assertThat(measured.onDevice()).isGreaterThan(50_000_000_000L);
  }
}
