package io.fusespill.cuda.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// On a GPU with 132 multiprocessors of two blocks each, what was measured to be fastest, or within
/// 5 % of it (docs/measurements/gpu-model.md).
final class LinearTilingTest {

  private static final int SLOTS = 264;

  @ParameterizedTest
  @CsvSource({
    "1, 12288, B8_R48, 1",
    "8, 6144, B8_R48, 2",
    "8, 4096, B8_R16, 1",
    "8, 28672, B8_R16, 1",
    "9, 12288, B16_R48, 1",
    "16, 4096, B16_R16, 1",
    "16, 28672, B16_R64, 1",
    "17, 4096, B32_R32, 2",
    "32, 12288, B32_R48, 1",
    "32, 22016, B32_R96, 1",
    "32, 28672, B32_R64, 1",
    "32, 6144, B32_R48, 2",
    "32, 128256, B32_R64, 1",
    "64, 22016, B64_R64, 1"
  })
  void picksWhatLeavesFewBlocksIdle(int rows, int outputs, LinearKernel kernel, int splits) {
    assertThat(LinearTiling.of(rows, outputs, SLOTS)).isEqualTo(new LinearTiling(kernel, splits));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 20, 132, 264})
  void everyProductHasAKernelThatHoldsItsRows_andBlocksThatShareATileRunAtOnce(int slots) {
    for (int rows = 1; rows <= LinearKernel.BATCH_MAX; rows++) {
      for (int outputs : new int[] {1, 5, 896, 4096, 32000, 524288}) {
        LinearTiling tiling = LinearTiling.of(rows, outputs, slots);
        assertThat(tiling.kernel().batch).isBetween(rows, Math.max(8, 2 * rows));
        if (tiling.splits() > 1) {
          assertThat(tiling.kernel().tiles(outputs) * tiling.splits()).isLessThanOrEqualTo(slots);
        }
      }
    }
  }

  @Test
  void namesAndLimits_areThoseOfTheKernels() {
    assertThat(LinearKernel.values())
        .allMatch(
            kernel -> kernel.name().equals("B%d_R%d".formatted(kernel.batch, kernel.tileRows)))
        .allMatch(kernel -> kernel.batch <= LinearKernel.BATCH_MAX)
        .allMatch(kernel -> kernel.batch * kernel.tileRows <= LinearKernel.NUMBERS_MAX);
  }
}
