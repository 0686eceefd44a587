package io.fusespill.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The arguments of a launch, in order, in memory that is used again and again:
/// `arguments.clear().pointer(out).int32(rows)`. For one thread at a time.
public final class Arguments {

  /// Most arguments that a kernel may have here.
  static final int LARGEST = 32;

  private static final int SLOT = Long.BYTES;

  /// Pointers to the slots, then the slots.
  private final MemorySegment memory = Arena.ofAuto().allocate(2L * LARGEST * SLOT, SLOT);

  private final int[] bytes = new int[LARGEST];

  /// Keeps those alive that pointers point to.
  private final @Nullable TensorMap[] maps = new TensorMap[LARGEST];

  private final EarlyLaunch early = new EarlyLaunch();
  private int count;

  /// No arguments yet.
  public Arguments() {
    for (int i = 0; i < LARGEST; i++) {
      point(i, memory.address() + slot(i));
    }
  }

  /// Begins again.
  public Arguments clear() {
    count = 0;
    return this;
  }

  /// An address of device memory; 0 is the null pointer.
  public Arguments pointer(long address) {
    return int64(address);
  }

  /// An `int`.
  public Arguments int32(int value) {
    memory.set(ValueLayout.JAVA_INT, next(Integer.BYTES), value);
    return this;
  }

  /// A `long long`.
  public Arguments int64(long value) {
    memory.set(ValueLayout.JAVA_LONG, next(Long.BYTES), value);
    return this;
  }

  /// A `float`.
  public Arguments float32(float value) {
    memory.set(ValueLayout.JAVA_FLOAT, next(Float.BYTES), value);
    return this;
  }

  /// A `CUtensorMap`, which is read when the kernel is launched.
  public Arguments tensorMap(TensorMap map) {
    next((int) TensorMap.BYTES);
    maps[count - 1] = map;
    point(count - 1, map.address());
    return this;
  }

  long address() {
    return memory.address();
  }

  EarlyLaunch early() {
    return early;
  }

  boolean fit(int[] sizes) {
    if (count != sizes.length) {
      return false;
    }
    for (int i = 0; i < count; i++) {
      if (bytes[i] != sizes[i]) {
        return false;
      }
    }
    return true;
  }

  private long next(int size) {
    if (count == LARGEST) {
      throw new IllegalStateException("a kernel has at most %d arguments".formatted(LARGEST));
    }
    if (maps[count] != null) {
      maps[count] = null;
      point(count, memory.address() + slot(count));
    }
    bytes[count] = size;
    return slot(count++);
  }

  private void point(int index, long address) {
    memory.setAtIndex(ValueLayout.JAVA_LONG, index, address);
  }

  private static long slot(int index) {
    return (long) (LARGEST + index) * SLOT;
  }

  @Override
  public String toString() {
    return Arrays.toString(Arrays.copyOf(bytes, count));
  }
}
