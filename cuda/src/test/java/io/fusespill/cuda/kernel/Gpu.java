package io.fusespill.cuda.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.PinnedBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.kernel.Convert;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;

/// GPU 0 with arrays on it, all closed with this.
final class Gpu implements AutoCloseable {

  final Context context = Context.open(0);
  final Stream stream = context.stream("test");
  private final Deque<Runnable> open = new ArrayDeque<>();

  /// An array on the device, of which the host knows what was written there at first.
  final class Numbers {

    final ElementType type;
    final float[] values;
    final PinnedBuffer host;
    final DeviceBuffer device;

    private Numbers(ElementType type, float[] values) {
      this.type = type;
      this.values = values;
      long bytes = (long) values.length * type.bytes();
      host = pinned(bytes);
      device = allocate(bytes);
      for (int i = 0; i < values.length; i++) {
        values[i] = Convert.round(type, values[i]);
        if (type == ElementType.F32) {
          host.memory().setAtIndex(JAVA_FLOAT, i, values[i]);
        } else {
          host.memory().setAtIndex(JAVA_SHORT, i, bits(type, values[i]));
        }
      }
      stream.copyToDevice(device.address(), host.address(), bytes);
      stream.synchronize();
    }

    long address() {
      return device.address();
    }

    float[] read() {
      stream.copyToHost(host.address(), device.address(), host.bytes());
      stream.synchronize();
      float[] read = new float[values.length];
      for (int i = 0; i < read.length; i++) {
        read[i] =
            switch (type) {
              case F32 -> host.memory().getAtIndex(JAVA_FLOAT, i);
              case F16 -> Float.float16ToFloat(host.memory().getAtIndex(JAVA_SHORT, i));
              case BF16 -> Float.intBitsToFloat(host.memory().getAtIndex(JAVA_SHORT, i) << 16);
            };
      }
      return read;
    }
  }

  private static short bits(ElementType type, float rounded) {
    return type == ElementType.F16
        ? Float.floatToFloat16(rounded)
        : (short) (Float.floatToRawIntBits(rounded) >>> 16);
  }

  private DeviceBuffer allocate(long bytes) {
    DeviceBuffer buffer = context.allocate(bytes, "test");
    open.push(buffer::close);
    return buffer;
  }

  PinnedBuffer pinned(long bytes) {
    PinnedBuffer buffer = context.allocatePinned(bytes, "test");
    open.push(buffer::close);
    return buffer;
  }

  Kernels kernels(ElementType type) {
    Kernels kernels = new Kernels(context, type, stream);
    open.push(kernels::close);
    return kernels;
  }

  Numbers of(ElementType type, float... values) {
    return new Numbers(type, values);
  }

  Numbers random(Random random, ElementType type, int count, double scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (scale * random.nextGaussian());
    }
    return of(type, values);
  }

  /// Not-a-numbers, so that what is not written shows.
  Numbers poisoned(ElementType type, int count) {
    float[] values = new float[count];
    Arrays.fill(values, Float.NaN);
    return of(type, values);
  }

  /// The address of these on the device.
  long ints(int... values) {
    PinnedBuffer host = pinned(4L * values.length);
    DeviceBuffer device = allocate(4L * values.length);
    for (int i = 0; i < values.length; i++) {
      host.memory().setAtIndex(JAVA_INT, i, values[i]);
    }
    stream.copyToDevice(device.address(), host.address(), host.bytes());
    return device.address();
  }

  int[] readInts(long address, int count) {
    PinnedBuffer host = pinned(4L * count);
    stream.copyToHost(host.address(), address, host.bytes());
    stream.synchronize();
    int[] read = new int[count];
    for (int i = 0; i < count; i++) {
      read[i] = host.memory().getAtIndex(JAVA_INT, i);
    }
    return read;
  }

  @Override
  public void close() {
    context.synchronize();
    while (!open.isEmpty()) {
      open.pop().run();
    }
    stream.close();
    context.close();
  }
}
