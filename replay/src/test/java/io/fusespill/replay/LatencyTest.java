package io.fusespill.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/// Figures of a distribution whose values are known.
class LatencyTest {

  @Test
  void ofNothing_allAre0() {
    Latency latency = new Latency();
    assertThat(latency.meanMillis()).isZero();
    assertThat(latency.deviationMillis()).isZero();
    assertThat(latency.percentileMillis(99)).isZero();
  }

  /// 2, 4, 4, 4, 5, 5, 7 and 9 ms: mean 5, squares 9 + 3 + 0 + 4 + 16 = 32, over 8 is 4.
  @Test
  void deviation_isOverAllValues() {
    Latency latency = new Latency();
    latency.record(2_000_000, 1);
    latency.record(4_000_000, 3);
    latency.record(5_000_000, 2);
    latency.record(7_000_000, 1);
    latency.record(9_000_000, 1);
    assertThat(latency.meanMillis()).isEqualTo(5);
    assertThat(latency.deviationMillis()).isCloseTo(2, within(1e-12));
  }

  /// Where the squares of the values themselves would have lost all digits of it.
  @Test
  void deviation_ofLongOnesThatAreClose_isKept() {
    Latency latency = new Latency();
    for (int i = 0; i < 1_000; i++) {
      latency.record(3_600_000_000_000L + (i % 2) * 2_000, 1);
    }
    assertThat(latency.deviationMillis()).isCloseTo(0.001, within(1e-9));
  }
}
