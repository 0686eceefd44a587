package io.fusespill.cuda.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.host.checkpoint.CheckpointException;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class WeightUploadTest {

  /// As bf16, of which all but the last are exact in f16.
  private static final float[] HELD = {1, -0.0078125f, 65_280, -65_280, 1.0078125f, 6e-5f, 1e-30f};

  @Test
  void bf16BecomesF16_whatItHoldsStays_whatIsTooSmallIsZero() {
    float[] got = filled(HELD, 3);
    for (int i = 0; i < HELD.length; i++) {
      float bf16 = Float.intBitsToFloat(Float.floatToRawIntBits(HELD[i]) & 0xffff_0000);
      assertThat(got[i]).isEqualTo(i < HELD.length - 1 ? bf16 : 0);
    }
  }

  @Test
  void infinityStays() {
    assertThat(filled(new float[] {1, Float.NEGATIVE_INFINITY}, 2))
        .containsExactly(1, Float.NEGATIVE_INFINITY);
  }

  /// By the largest of all slices, whichever of them is converted first.
  @Test
  void numbersBeyondF16_areRefusedByTheTensorsName() {
    float[] numbers = new float[100_000];
    Arrays.fill(numbers, 0.5f);
    numbers[7] = 65_536;
    numbers[60_000] = -131_072;
    numbers[99_999] = 66_048;
    assertThatThrownBy(() -> filled(numbers, 1_000))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("layers.0.up", "131,072", "65,504", "--dtype bf16");
  }

  private static float[] filled(float[] numbers, int slice) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment from = arena.allocate(2L * numbers.length, 64);
      MemorySegment to = arena.allocate(2L * numbers.length, 64);
      for (int i = 0; i < numbers.length; i++) {
        int bits = Float.floatToRawIntBits(numbers[i]) >>> 16;
        from.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) bits);
      }
      Tensor tensor = new Tensor("layers.0.up", ElementType.BF16, 1, numbers.length, from);
      WeightUpload.fill(
          new WeightUpload.Slices(tensor, ElementType.F16, 0, numbers.length, slice, slice), to);
      float[] got = new float[numbers.length];
      for (int i = 0; i < got.length; i++) {
        got[i] = Float.float16ToFloat(to.getAtIndex(ValueLayout.JAVA_SHORT, i));
      }
      return got;
    }
  }
}
