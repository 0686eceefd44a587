package io.fusespill.cuda.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// On a GPU with 132 multiprocessors. Each cut was the fastest that was measured, or within 5 % of
/// it (docs/measurements/gpu-model.md).
final class WideTilingTest {

  @ParameterizedTest
  @CsvSource({
    "40, 12288, 4096, false, 64, 96, 128, 1",
    "48, 4096, 4096, false, 64, 64, 64, 2",
    "40, 11008, 4096, true, 64, 176, 126, 1",
    "64, 4096, 11008, false, 64, 64, 64, 2",
    "33, 6144, 4096, false, 64, 96, 64, 2",
    "64, 14336, 4096, true, 64, 112, 256, 1",
    "128, 12288, 4096, false, 128, 96, 128, 1",
    "72, 4096, 4096, false, 128, 64, 64, 2",
    "96, 4096, 11008, false, 128, 112, 37, 3",
    "128, 4096, 14336, false, 128, 144, 29, 4",
    "128, 14336, 4096, true, 128, 112, 256, 1",
    "100, 32000, 4096, false, 128, 128, 250, 1",
    "192, 12288, 4096, false, 192, 96, 128, 1",
    "192, 6144, 4096, false, 192, 96, 64, 2",
    "160, 11008, 4096, true, 192, 176, 126, 1",
    "192, 4096, 14336, false, 192, 144, 29, 4"
  })
  void picksWhatLoadsMultiprocessorsEvenly(
      int rows,
      int outputs,
      int inputs,
      boolean gated,
      int batch,
      int tile,
      int tiles,
      int splits) {
    assertThat(WideTiling.of(rows, outputs, inputs, gated, 132))
        .isEqualTo(new WideTiling(batch, tile, tiles, splits));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 20, 114, 132})
  void everyProductHasTilesThatTheKernelsTake_andBlocksThatShareATileRunAtOnce(
      int multiprocessors) {
    for (int rows = 1; rows <= WideTiling.ROWS_MAX; rows++) {
      for (int outputs : new int[] {1, 5, 896, 4096, 32000, 524288}) {
        for (boolean gated : new boolean[] {false, true}) {
          WideTiling tiling = WideTiling.of(rows, outputs, 896, gated, multiprocessors);
          assertThat(tiling.batch()).isBetween(rows, rows + 63);
          assertThat(WideTiling.TILES).contains(tiling.tile());
          int tileOutputs = gated ? tiling.tile() / 2 : tiling.tile();
          assertThat(tiling.tiles() * tileOutputs).isBetween(outputs, outputs + tileOutputs - 1);
          int blocks = tiling.blocks(multiprocessors) * tiling.splits();
          assertThat(blocks).isBetween(1, multiprocessors);
        }
      }
    }
  }

  @Test
  void moreRowsThanAnyKernelTakes_areNamed() {
    assertThatThrownBy(() -> WideTiling.of(193, 4096, 4096, false, 132))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 to 192, got 193");
  }
}
