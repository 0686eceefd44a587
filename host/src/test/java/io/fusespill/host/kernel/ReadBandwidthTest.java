package io.fusespill.host.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class ReadBandwidthTest {

  @Test
  void measure_isPositiveForAnyNumberOfThreads() {
    assertThat(ReadBandwidth.measure(1, 3 << 20)).isPositive();
    assertThat(ReadBandwidth.measure(3, 3 << 20)).isPositive();
  }

  @Test
  void measure_lessThanAMebibyte_isRefused() {
    assertThatThrownBy(() -> ReadBandwidth.measure(1, 1000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1000");
  }
}
