package io.fusespill.cuda.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// On a GPU with 132 multiprocessors, what was measured to be fastest, or within 5 % of it
/// (docs/measurements/gpu-model.md).
final class WideTilingTest {

  @ParameterizedTest
  @CsvSource({
    "40, 12288, false, 48, 48, 2",
    "48, 4096, false, 48, 40, 4",
    "40, 11008, true, 48, 48, 1",
    "40, 6144, false, 48, 24, 2",
    "33, 14336, true, 48, 56, 1",
    "64, 12288, false, 64, 48, 2",
    "49, 32000, false, 64, 64, 1",
    "128, 14336, true, 128, 56, 1",
    "96, 11008, true, 96, 48, 1"
  })
  void picksWhatLoadsMultiprocessorsEvenly(
      int rows, int outputs, boolean gated, int batch, int half, int splits) {
    assertThat(WideTiling.of(rows, outputs, gated, 132))
        .isEqualTo(new WideTiling(batch, half, splits));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 20, 114, 132})
  void everyProductHasTilesThatTheKernelsTake_andBlocksThatShareATileRunAtOnce(
      int multiprocessors) {
    for (int rows = 1; rows <= WideTiling.ROWS_MAX; rows++) {
      for (int outputs : new int[] {1, 5, 896, 4096, 32000, 524288}) {
        for (boolean gated : new boolean[] {false, true}) {
          WideTiling tiling = WideTiling.of(rows, outputs, gated, multiprocessors);
          assertThat(tiling.batch()).isBetween(rows, Math.max(48, 3 * rows / 2 + 1));
          assertThat(tiling.half() % 8).isZero();
          assertThat(tiling.half()).isBetween(24, 64);
          if (tiling.splits() > 1) {
            assertThat(tiling.tiles(outputs, gated) * tiling.splits())
                .isLessThanOrEqualTo(2 * multiprocessors);
          }
        }
      }
    }
  }

  @Test
  void moreRowsThanAnyKernelTakes_areNamed() {
    assertThatThrownBy(() -> WideTiling.of(129, 4096, false, 132))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 to 128, got 129");
  }
}
