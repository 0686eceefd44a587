package io.fusespill.cuda.model;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.Event;
import io.fusespill.cuda.driver.PinnedBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.host.checkpoint.CheckpointException;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.Tensor;
import io.fusespill.host.kernel.Convert;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;

/// Copies tensors to device memory through two pinned buffers: while one is copied, the other is
/// filled from wherever the tensor is, by several threads.
final class WeightUpload implements AutoCloseable {

  private static final long BUFFER_BYTES = 32L << 20;

  /// Numbers that one thread reads or converts at a time.
  private static final int SLICE = 1 << 19;

  private static final double LARGEST_F16 = 65_504;

  private final Stream stream;
  private final PinnedBuffer[] buffers = new PinnedBuffer[2];
  private final Event[] copied = new Event[2];
  private final LongConsumer progress;
  private int next;
  private long done;

  WeightUpload(Context context, LongConsumer progress) {
    this.progress = progress;
    stream = context.stream("weights");
    for (int i = 0; i < buffers.length; i++) {
      buffers[i] = context.allocatePinned(BUFFER_BYTES, "weights on their way");
      copied[i] = context.event();
    }
  }

  /// Writes zeros to device memory.
  void zero(long target, long bytes) {
    stream.fill(target, (byte) 0, bytes);
  }

  /// Copies the numbers of a tensor, as numbers of `type`, to device memory.
  ///
  /// @param stride numbers from a row to the next there
  /// @throws CheckpointException if the type does not hold them
  void put(Tensor tensor, ElementType type, long target, int stride) {
    if (stride == tensor.columns()) {
      long elements = (long) tensor.rows() * tensor.columns();
      long chunk = BUFFER_BYTES / type.bytes();
      for (long first = 0; first < elements; first += chunk) {
        long count = Math.min(chunk, elements - first);
        Slices slices = new Slices(tensor, type, first, count, SLICE, SLICE);
        copy(slices, count, target + first * type.bytes());
      }
      return;
    }
    int rows = Math.toIntExact(BUFFER_BYTES / ((long) stride * type.bytes()));
    for (int first = 0; first < tensor.rows(); first += rows) {
      int count = Math.min(rows, tensor.rows() - first);
      Slices slices =
          new Slices(
              tensor,
              type,
              (long) first * tensor.columns(),
              (long) count * tensor.columns(),
              tensor.columns(),
              stride);
      copy(slices, (long) count * stride, target + (long) first * stride * type.bytes());
    }
  }

  private void copy(Slices slices, long elements, long target) {
    PinnedBuffer buffer = buffers[next];
    long bytes = elements * slices.type.bytes();
    copied[next].synchronize();
    fill(slices, buffer.memory().asSlice(0, bytes));
    stream.copyToDevice(target, buffer.address(), bytes);
    stream.record(copied[next]);
    next = 1 - next;
    done += bytes;
    progress.accept(done);
  }

  /// Writes numbers of a tensor.
  ///
  /// @throws CheckpointException if the type does not hold them; no thread is at it any more then
  static void fill(Slices slices, MemorySegment target) {
    double largest = slices.fill(target);
    if (slices.type == ElementType.F16 && largest > LARGEST_F16) {
      throw new CheckpointException(
          "tensor %s holds numbers as large as %,.0f, and f16 none beyond %,.0f: bf16 does (--dtype bf16)"
              .formatted(slices.tensor.name(), largest, LARGEST_F16));
    }
  }

  /// Numbers of a tensor in slices of `length`, which come to lie `stride` apart.
  record Slices(Tensor tensor, ElementType type, long first, long count, int length, int stride) {

    /// The size of the largest number that was converted and is none of infinity; 0 for none.
    private double fill(MemorySegment target) {
      if (stride != length) {
        target.fill((byte) 0);
      }
      return LongStream.range(0, (count + length - 1) / length)
          .parallel()
          .mapToDouble(slice -> fill(target, slice))
          .max()
          .orElse(0);
    }

    private double fill(MemorySegment target, long slice) {
      int numbers = (int) Math.min(length, count - slice * length);
      long size = tensor.type().bytes();
      MemorySegment from = tensor.data().asSlice((first + slice * length) * size, numbers * size);
      MemorySegment to =
          target.asSlice(slice * stride * type.bytes(), (long) numbers * type.bytes());
      if (tensor.type() == type) {
        to.copyFrom(from);
        return 0;
      }
      return convert(from, tensor.type(), to, type, numbers);
    }
  }

  private static double convert(
      MemorySegment source, ElementType from, MemorySegment target, ElementType to, int count) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment here =
          source.isNative() ? source : arena.allocate(source.byteSize(), 8).copyFrom(source);
      MemorySegment wide =
          to == ElementType.F32 ? target : arena.allocate((long) count * Float.BYTES, 64);
      Convert.widen(from, here.address(), wide.address(), count);
      if (to != ElementType.F32) {
        Convert.narrow(to, wide.address(), target.address(), count);
      }
      return to == ElementType.F16 ? largest(wide, count) : 0;
    }
  }

  private static double largest(MemorySegment numbers, int count) {
    float largest = 0;
    for (int i = 0; i < count; i++) {
      float size = Math.abs(numbers.getAtIndex(ValueLayout.JAVA_FLOAT, i));
      largest = size > largest && size < Float.POSITIVE_INFINITY ? size : largest;
    }
    return largest;
  }

  /// Waits until all of it is on the device.
  void finish() {
    stream.synchronize();
  }

  @Override
  public void close() {
    stream.synchronize();
    for (int i = 0; i < buffers.length; i++) {
      buffers[i].close();
      copied[i].close();
    }
    stream.close();
  }
}
