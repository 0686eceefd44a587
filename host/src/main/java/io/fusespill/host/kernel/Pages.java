package io.fusespill.host.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/// Memory straight from the operating system: zero, and a page is there only once it is touched.
/// Where the system is not Linux, the whole is touched at once.
public final class Pages {

  private static final int READ_WRITE = 3;
  private static final int PRIVATE_ANONYMOUS_NO_RESERVE = 0x4022;
  private static final int ADVICE_HUGE_PAGES = 14;
  private static final long HUGE_PAGE = 1L << 21;
  private static final long MAP_FAILED = -1;

  private static final @Nullable MethodHandle MAP =
      function(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));
  private static final @Nullable MethodHandle UNMAP =
      function(
          "munmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final @Nullable MethodHandle ADVISE =
      function(
          "madvise",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));

  private Pages() {}

  /// `bytes` bytes, at least 1, from a multiple of 64; given back when `arena` is closed.
  ///
  /// @throws OutOfMemoryError if the system does not give that much
  @SuppressWarnings("restricted")
  public static MemorySegment allocate(long bytes, Arena arena) {
    if (MAP == null || UNMAP == null) {
      return arena.allocate(bytes, 64);
    }
    MethodHandle unmap = UNMAP;
    try {
      long address =
          (long) MAP.invokeExact(0L, bytes, READ_WRITE, PRIVATE_ANONYMOUS_NO_RESERVE, -1, 0L);
      if (address == MAP_FAILED) {
        throw new OutOfMemoryError("the system does not give %,d bytes".formatted(bytes));
      }
      if (ADVISE != null && bytes >= HUGE_PAGE) {
        // Fewer address translations; without, all works as well.
        int ignored = (int) ADVISE.invokeExact(address, bytes, ADVICE_HUGE_PAGES);
      }
      return MemorySegment.ofAddress(address)
          .reinterpret(bytes, arena, segment -> unmap(unmap, segment.address(), bytes));
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("mmap failed", e);
    }
  }

  private static void unmap(MethodHandle unmap, long address, long bytes) {
    try {
      int ignored = (int) unmap.invokeExact(address, bytes);
    } catch (Throwable e) {
      throw new IllegalStateException("munmap failed", e);
    }
  }

  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle function(String name, FunctionDescriptor descriptor) {
    if (!System.getProperty("os.name").equals("Linux")) {
      return null;
    }
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find(name)
        .map(address -> linker.downcallHandle(address, descriptor))
        .orElse(null);
  }
}
