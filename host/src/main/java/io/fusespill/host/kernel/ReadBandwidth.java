package io.fusespill.host.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.LongAdder;

/// How fast this machine's cores read memory that is in no cache.
public final class ReadBandwidth {

  private static final int CHUNK_BYTES = 1 << 20;
  private static final int UNROLLED = 8;
  private static final long LEAST_NANOS = 200_000_000;
  private static final int LEAST_ROUNDS = 5;

  private ReadBandwidth() {}

  /// Bytes a second of the best of some passes over `bytes` bytes on `threads` threads. Takes a
  /// quarter of a second, or five passes.
  ///
  /// @param bytes a few times what the caches hold; at least 1 MiB
  public static long measure(int threads, long bytes) {
    if (bytes < CHUNK_BYTES) {
      throw new IllegalArgumentException(
          "bytes must be at least %d, got %d".formatted(CHUNK_BYTES, bytes));
    }
    int chunks = Math.toIntExact(bytes / CHUNK_BYTES);
    LongAdder sum = new LongAdder();
    try (Arena arena = Arena.ofShared();
        WorkerPool workers = WorkerPool.of(threads)) {
      MemorySegment memory = Pages.allocate((long) chunks * CHUNK_BYTES, arena);
      long address = memory.address();
      workers.run(
          (worker, from, to) ->
              Memory.zero(address + (long) from * CHUNK_BYTES, (long) (to - from) * CHUNK_BYTES),
          chunks,
          1);
      RangeTask read =
          (worker, from, to) ->
              sum.add(sum(address + (long) from * CHUNK_BYTES, (long) (to - from) * CHUNK_BYTES));
      long best = Long.MAX_VALUE;
      long begin = System.nanoTime();
      for (int i = 0; i < LEAST_ROUNDS || System.nanoTime() - begin < LEAST_NANOS; i++) {
        long start = System.nanoTime();
        workers.run(read, chunks, 1);
        best = Math.min(best, System.nanoTime() - start);
      }
      if (sum.sum() != 0) {
        throw new IllegalStateException("zeros have a sum of " + sum);
      }
      return Math.max(1, (long) ((double) chunks * CHUNK_BYTES * 1e9 / best));
    }
  }

  /// Several sums at once, so that the additions do not wait for one another.
  private static long sum(long address, long bytes) {
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    long end = address + bytes;
    for (long at = address; at < end; at += UNROLLED * Long.BYTES) {
      a += word(at) + word(at + 8);
      b += word(at + 16) + word(at + 24);
      c += word(at + 32) + word(at + 40);
      d += word(at + 48) + word(at + 56);
    }
    return a + b + c + d;
  }

  private static long word(long address) {
    return Memory.ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
  }
}
