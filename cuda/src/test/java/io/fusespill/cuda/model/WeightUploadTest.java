package io.fusespill.cuda.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.host.checkpoint.CheckpointException;
import io.fusespill.host.checkpoint.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class WeightUploadTest {

  /// As bf16, of which all but the last are exact in f16.
  private static final float[] HELD = {1, -0.0078125f, 65_280, -65_280, 1.0078125f, 6e-5f, 1e-30f};

  @Test
  void bf16BecomesF16_whatItHoldsStays_whatIsTooSmallIsZero() {
    float[] got = convert(HELD);
    for (int i = 0; i < HELD.length; i++) {
      float bf16 = Float.intBitsToFloat(Float.floatToRawIntBits(HELD[i]) & 0xffff_0000);
      assertThat(got[i]).isEqualTo(i < HELD.length - 1 ? bf16 : 0);
    }
  }

  @Test
  void numberBeyondF16_isRefusedByTheTensorsName() {
    assertThatThrownBy(() -> convert(1, 65_536, -131_072))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("layers.0.up", "131072.0", "65,504", "--dtype bf16");
  }

  private static float[] convert(float... numbers) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(2L * numbers.length, 64);
      MemorySegment to = arena.allocate(2L * numbers.length, 64);
      for (int i = 0; i < numbers.length; i++) {
        int bits = Float.floatToRawIntBits(numbers[i]) >>> 16;
        from.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) bits);
      }
      WeightUpload.convert(
          "layers.0.up", from, ElementType.BF16, to, ElementType.F16, numbers.length);
      float[] got = new float[numbers.length];
      for (int i = 0; i < got.length; i++) {
        got[i] = Float.float16ToFloat(to.getAtIndex(ValueLayout.JAVA_SHORT, i));
      }
      return got;
    }
  }
}
