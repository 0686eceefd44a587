package io.fusespill.host.checkpoint;

import io.fusespill.host.random.CounterRandom;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.LongStream;

/// Random weights: what measures a model's speed without its files.
///
/// Matrices are drawn from a bell curve (logistic) of variance 1 / columns, so that a layer's
/// outputs are about as large as its inputs; biases are a tenth of that, norms are 1. A number
/// depends on the seed, the tensor's name and its index alone.
final class DummyWeights {

  private static final int LEVEL_BITS = 12;
  private static final int LEVELS = 1 << LEVEL_BITS;
  private static final double LOGISTIC_DEVIATION = Math.PI / Math.sqrt(3);

  /// A whole number of 64-bit words for every element type.
  private static final long CHUNK_BYTES = 1 << 20;

  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private DummyWeights() {}

  /// The tensor of that shape, in memory of `arena`; several threads fill it.
  static MemorySegment fill(TensorShape shape, ElementType type, long seed, Arena arena) {
    long bytes = shape.elements() * type.bytes();
    long words = (bytes + Long.BYTES - 1) / Long.BYTES;
    MemorySegment memory = arena.allocate(words * Long.BYTES, 64);
    int[] levels = levels(shape, type);
    long key = CounterRandom.key(seed, shape.name());
    long chunkWords = CHUNK_BYTES / Long.BYTES;
    LongStream.range(0, (words + chunkWords - 1) / chunkWords)
        .parallel()
        .forEach(chunk -> {
          long first = chunk * chunkWords;
          long end = Math.min(words, first + chunkWords);
          if (type == ElementType.F32) {
            fillInts(memory, levels, key, first, end);
          } else {
            fillShorts(memory, levels, key, first, end);
          }
        });
    return memory.asSlice(0, bytes).asReadOnly();
  }

  private static void fillShorts(
      MemorySegment memory, int[] levels, long key, long first, long end) {
    for (long i = first; i < end; i++) {
      long bits = CounterRandom.bits(key, i);
      long word = 0;
      for (int lane = 0; lane < 4; lane++) {
        word |= (long) levels[(int) bits & (LEVELS - 1)] << (16 * lane);
        bits >>>= 16;
      }
      memory.set(WORD, i * Long.BYTES, word);
    }
  }

  private static void fillInts(MemorySegment memory, int[] levels, long key, long first, long end) {
    for (long i = first; i < end; i++) {
      long bits = CounterRandom.bits(key, i);
      long low = levels[(int) bits & (LEVELS - 1)] & 0xffff_ffffL;
      long high = levels[(int) (bits >>> 32) & (LEVELS - 1)];
      memory.set(WORD, i * Long.BYTES, high << 32 | low);
    }
  }

  /// The bits of the values that a number can take, each as likely as the others.
  private static int[] levels(TensorShape shape, ElementType type) {
    int[] levels = new int[LEVELS];
    double deviation = shape.isBias() ? 0.1 : 1 / Math.sqrt(shape.columns());
    for (int i = 0; i < LEVELS; i++) {
      double p = (i + 0.5) / LEVELS;
      double bell = StrictMath.log(p / (1 - p)) / LOGISTIC_DEVIATION;
      levels[i] = type.bits((float) (shape.isNorm() ? 1 : deviation * bell));
    }
    return levels;
  }
}
