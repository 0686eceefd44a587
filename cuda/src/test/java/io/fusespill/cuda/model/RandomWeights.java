package io.fusespill.cuda.model;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.RopeFrequencies;
import io.fusespill.host.checkpoint.Tensor;
import io.fusespill.host.checkpoint.WeightSource;
import io.fusespill.host.kernel.Convert;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;

/// Random weights of any shape, the same for the same seed and names; numbers are those of `type`,
/// whatever `stored` is.
record RandomWeights(long seed, ElementType type, ElementType stored) implements WeightSource {

  /// A small model: three query heads to a KV head, a feed-forward width that is no multiple of 8.
  static ModelConfig config(int vocabulary, int headDim, boolean qkNorm, boolean biases) {
    return new ModelConfig(
        "LlamaForCausalLM",
        vocabulary,
        72,
        100,
        2,
        6,
        2,
        headDim,
        1e-5,
        RopeFrequencies.of(10_000, headDim),
        biases,
        biases,
        biases,
        qkNorm,
        false,
        512,
        ElementType.BF16,
        List.of());
  }

  @Override
  public Tensor tensor(String name, int rows, int columns) {
    Random random = new Random(seed ^ name.hashCode());
    boolean norm = name.contains("norm");
    double scale = norm ? 0.1 : 1 / Math.sqrt(rows == 1 ? 100 : columns);
    int count = Math.multiplyExact(rows, columns);
    MemorySegment data = Arena.ofAuto().allocate((long) count * stored.bytes(), 64);
    for (int i = 0; i < count; i++) {
      float value = Convert.round(type, (float) ((norm ? 1 : 0) + scale * random.nextGaussian()));
      switch (stored) {
        case F32 -> data.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        case F16 -> data.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(value));
        case BF16 ->
            data.setAtIndex(
                ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >>> 16));
      }
    }
    return new Tensor(name, stored, rows, columns, data);
  }
}
