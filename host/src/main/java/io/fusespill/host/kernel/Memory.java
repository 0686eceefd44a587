package io.fusespill.host.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Memory outside the heap by address, as the kernels see it: no bounds and no lifetime. Whoever
/// hands out an address has checked both.
public final class Memory {

  /// All there is. Vector loads through it cost no more than the load.
  @SuppressWarnings("restricted")
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ORDER);
  static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private Memory() {}

  public static float getFloat(long address) {
    return ALL.get(FLOAT, address);
  }

  public static void putFloat(long address, float value) {
    ALL.set(FLOAT, address, value);
  }

  public static void copy(long from, long to, long bytes) {
    MemorySegment.copy(ALL, from, ALL, to, bytes);
  }

  /// Writes 0 to `bytes` bytes, a multiple of 4.
  public static void zero(long address, long bytes) {
    int words = (int) (bytes / Integer.BYTES);
    for (int i = 0; i < words; i++) {
      ALL.set(INT, address + 4L * i, 0);
    }
  }
}
