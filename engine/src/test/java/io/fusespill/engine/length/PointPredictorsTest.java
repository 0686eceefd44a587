package io.fusespill.engine.length;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PointPredictorsTest {

  @Test
  void oracle_takesTheTruth() {
    LengthPredictor oracle = PredictorKind.ORACLE.create(1_000);
    assertThat(oracle.expectedRemaining(10, 30, 100)).isEqualTo(70);
    assertThat(oracle.quantileRemaining(10, 30, 100, 1)).isEqualTo(70);
    assertThat(oracle.expectedRemaining(10, 100, 100)).isEqualTo(1);
    assertThat(PredictorKind.ORACLE.oracle()).isTrue();
    assertThat(PredictorKind.DECLARED.oracle()).isFalse();
  }

  @Test
  void oracle_withoutTruth_throws() {
    assertThatThrownBy(() -> PredictorKind.ORACLE.create(1_000).expectedRemaining(10, 30, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("hint 0");
  }

  @Test
  void maximum_leavesTheRest() {
    assertThat(PredictorKind.MAXIMUM.create(1_000).expectedRemaining(10, 30, 0)).isEqualTo(970);
  }

  @Test
  void lastValue_forgetsTheOneBefore() {
    LengthPredictor last = PredictorKind.LAST_VALUE.create(1_000);
    assertThat(last.expectedRemaining(10, 0, 0)).isBetween(410, 420);
    last.observe(10, 500, false);
    last.observe(10, 80, false);
    last.observe(10, 900, true);
    assertThat(last.expectedRemaining(10, 30, 0)).isEqualTo(50);
    assertThat(last.expectedRemaining(10, 300, 0)).isEqualTo(1);
  }

  @Test
  void none_isTheSameForAll() {
    LengthPredictor none = PredictorKind.NONE.create(1_000);
    for (int i = 0; i < 1_000; i++) {
      none.observe(10, i % 2 == 0 ? 100 : 200, false);
      none.observe(10, 1_000, true);
    }
    assertThat(none.expectedRemaining(1, 0, 0)).isEqualTo(150);
    assertThat(none.expectedRemaining(9_999, 990, 0)).isEqualTo(150);
    assertThat(none.quantileRemaining(9_999, 990, 0, 10)).isEqualTo(150);
  }
}
