package io.fusespill.cuda.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// On a GPU with 132 multiprocessors. Of the cuts with tiles of one size each was the fastest that
/// was measured, or within 5 % of it (docs/measurements/gpu-model.md).
final class WideTilingTest {

  @ParameterizedTest
  @CsvSource({
    "40, 12288, false, 48, 48, 128, 0, 2",
    "48, 4096, false, 48, 40, 52, 0, 4",
    "40, 11008, true, 48, 40, 264, 56, 1",
    "40, 6144, false, 48, 24, 128, 0, 2",
    "33, 14336, true, 48, 56, 256, 0, 1",
    "64, 12288, false, 64, 48, 128, 0, 2",
    "49, 32000, false, 64, 64, 250, 0, 1",
    "128, 14336, true, 128, 56, 256, 0, 1"
  })
  void picksWhatLoadsMultiprocessorsEvenly(
      int rows, int outputs, boolean gated, int batch, int half, int tiles, int large, int splits) {
    assertThat(WideTiling.of(rows, outputs, gated, 132))
        .isEqualTo(new WideTiling(batch, half, tiles, large, splits));
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
          assertThat(tiling.half()).isBetween(24, tiling.large() > 0 ? 56 : 64);
          assertThat(tiling.large()).isBetween(0, tiling.tiles() - 1);
          int rowsOfTiles = (tiling.tiles() * tiling.half() + tiling.large() * 8) * (gated ? 1 : 2);
          assertThat(rowsOfTiles).isBetween(outputs, outputs + 2 * 64);
          if (tiling.splits() > 1) {
            assertThat(tiling.tiles() * tiling.splits()).isLessThanOrEqualTo(2 * multiprocessors);
          }
        }
      }
    }
  }

  @Test
  void gatedProductsOfManyRowsAreOurs_whereMultiprocessorsHaveAsManyBlocks() {
    assertThat(WideTiling.of(128, 14336, true, 132).even(132)).isTrue();
    assertThat(WideTiling.of(128, 11008, true, 132).even(132)).isFalse();
  }

  @Test
  void moreRowsThanAnyKernelTakes_areNamed() {
    assertThatThrownBy(() -> WideTiling.of(129, 4096, false, 132))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 to 128, got 129");
  }
}
