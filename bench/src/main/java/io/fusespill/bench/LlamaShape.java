package io.fusespill.bench;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.RopeFrequencies;
import io.fusespill.host.checkpoint.Tensor;
import io.fusespill.host.checkpoint.WeightSource;
import io.fusespill.host.kernel.Pages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;

/// Random bf16 weights of the shape of Llama 3.2 1B: 1.24 billion numbers, 2.47 GB.
final class LlamaShape implements WeightSource {

  static final ModelConfig CONFIG =
      new ModelConfig(
          "LlamaForCausalLM",
          128_256,
          2_048,
          8_192,
          16,
          32,
          8,
          64,
          1e-5,
          RopeFrequencies.of(500_000, 64),
          false,
          false,
          false,
          false,
          true,
          131_072,
          ElementType.BF16,
          List.of());

  private static final int PATTERN = 1 << 20;
  private static final double DEVIATION = 0.02;

  private final Arena arena;
  private final short[] pattern = new short[PATTERN];
  private final SplittableRandom random = new SplittableRandom(1);

  /// Weights in memory of the arena.
  LlamaShape(Arena arena) {
    this.arena = arena;
    for (int i = 0; i < PATTERN; i++) {
      float value = (float) (DEVIATION * random.nextGaussian());
      pattern[i] = (short) (Float.floatToRawIntBits(value) >>> 16);
    }
  }

  @Override
  public Tensor tensor(String name, int rows, int columns) {
    long count = (long) rows * columns;
    MemorySegment data = Pages.allocate(2 * count, arena);
    if (rows == 1) {
      for (int i = 0; i < columns; i++) {
        data.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) 0x3f80);
      }
    } else {
      fill(data, count);
    }
    return new Tensor(name, ElementType.BF16, rows, columns, data);
  }

  private void fill(MemorySegment data, long count) {
    long at = 0;
    while (at < count) {
      int from = random.nextInt(PATTERN / 2);
      int length = (int) Math.min(count - at, PATTERN - from);
      MemorySegment.copy(pattern, from, data, ValueLayout.JAVA_SHORT, 2 * at, length);
      at += length;
    }
  }
}
