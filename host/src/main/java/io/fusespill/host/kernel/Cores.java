package io.fusespill.host.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The cores that this process may run on, and threads bound to one of them. Linux only: elsewhere
/// the cores are counted and threads stay where the system puts them.
public final class Cores {

  private static final int MASK_BYTES = 1024;
  private static final int CURRENT_THREAD = 0;
  private static final @Nullable MethodHandle GET = function("sched_getaffinity");
  private static final @Nullable MethodHandle SET = function("sched_setaffinity");

  private static final boolean INTEL = vendor().equals("GenuineIntel");

  private Cores() {}

  /// Whether the processor is one of Intel's; false where the system does not tell.
  static boolean intel() {
    return INTEL;
  }

  private static String vendor() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("vendor_id"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("");
    } catch (IOException | UncheckedIOException e) {
      return "";
    }
  }

  /// Ids of the cores that the calling thread may run on, ascending.
  public static int[] allowed() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(MASK_BYTES, Long.BYTES);
      if (call(GET, mask) < 0) {
        return IntStream.range(0, Runtime.getRuntime().availableProcessors()).toArray();
      }
      return IntStream.range(0, MASK_BYTES * Byte.SIZE)
          .filter(core -> (mask.get(ValueLayout.JAVA_BYTE, core >> 3) >> (core & 7) & 1) == 1)
          .toArray();
    }
  }

  /// Binds the calling thread to one core.
  ///
  /// @return whether it is bound; if not, it runs where it did before
  public static boolean pin(int core) {
    if (core < 0 || core >= MASK_BYTES * Byte.SIZE) {
      return false;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(MASK_BYTES, Long.BYTES);
      mask.set(ValueLayout.JAVA_BYTE, core >> 3, (byte) (1 << (core & 7)));
      return call(SET, mask) >= 0;
    }
  }

  private static int call(@Nullable MethodHandle function, MemorySegment mask) {
    if (function == null) {
      return -1;
    }
    try {
      return (int) function.invokeExact(CURRENT_THREAD, (long) MASK_BYTES, mask);
    } catch (Throwable e) {
      throw new IllegalStateException("call of the C library failed", e);
    }
  }

  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle function(String name) {
    if (!System.getProperty("os.name").equals("Linux")) {
      return null;
    }
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find(name)
        .map(address ->
            linker.downcallHandle(
                address,
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS)))
        .orElse(null);
  }
}
