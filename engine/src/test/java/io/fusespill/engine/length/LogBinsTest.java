package io.fusespill.engine.length;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogBinsTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 127, 128, 129, 2_000, 2_048, 16_384, 100_001})
  void bins_together_holdEachNumberOnce(int max) {
    LogBins bins = new LogBins(64, max);
    int value = 0;
    for (int bin = 0; bin < bins.count(); bin++) {
      assertThat(bins.low(bin)).isEqualTo(value);
      assertThat(bins.high(bin) - bins.low(bin)).isLessThanOrEqualTo(bins.low(bin) / 64);
      for (; value <= bins.high(bin); value++) {
        assertThat(bins.index(value)).isEqualTo(bin);
      }
    }
    assertThat(value).isEqualTo(max + 1);
  }

  @Test
  void index_beyondTheMaximum_isTheLastBin() {
    LogBins bins = new LogBins(64, 1_000);
    assertThat(bins.index(Integer.MAX_VALUE)).isEqualTo(bins.count() - 1);
    assertThat(bins.high(bins.count() - 1)).isEqualTo(1_000);
  }

  @Test
  void count_asDocumented() {
    assertThat(new LogBins(64, 2_048).count()).isEqualTo(385);
    assertThat(new LogBins(64, LengthPredictor.MAX_TOKENS).count()).isEqualTo(1_217);
  }

  @Test
  void perOctave_noPowerOfTwo_isRefused() {
    assertThatThrownBy(() -> new LogBins(12, 100))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("12 bins an octave");
  }
}
