package io.fusespill.engine.length;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KaplanMeierPredictorTest {

  private final LengthPredictor predictor = PredictorKind.KAPLAN_MEIER.create(4_096);

  /// ShareGPT's published quantiles.
  @ParameterizedTest
  @CsvSource({"100, 84", "250, 228", "500, 415", "750, 628", "900, 834", "950, 920"})
  void coldStart_isThePrior(int permille, int tokens) {
    assertThat(predictor.quantileRemaining(77, 0, 0, permille)).isCloseTo(tokens, within(8));
  }

  @Test
  void coldStart_half_isConditional() {
    // half of those beyond the median are beyond the third quartile
    assertThat(predictor.medianRemaining(77, 415, 0)).isCloseTo(628 - 415, within(8));
  }

  @Test
  void prompts_thatTell_areTakenApart() {
    for (int i = 0; i < 200; i++) {
      predictor.observe(100 + i % 10, 40 + i % 21, false);
      predictor.observe(1_000 + i % 100, 380 + i % 41, false);
    }
    assertThat(predictor.expectedRemaining(105, 0, 0)).isCloseTo(50, within(5));
    assertThat(predictor.expectedRemaining(1_050, 0, 0)).isCloseTo(400, within(12));
    assertThat(predictor.expectedRemaining(1_050, 300, 0)).isCloseTo(100, within(12));
    assertThat(predictor.medianRemaining(1_050, 300, 0)).isCloseTo(100, within(5));
  }

  /// One prompt length has seen three short answers; the lengths of all others are spread the same
  /// for every prompt.
  @Test
  void prompts_thatTellNothing_arePooled() {
    Histories draws = new Histories(1);
    for (int i = 0; i < 3_000; i++) {
      predictor.observe(1 + draws.below(4_000), 1 + draws.below(800), false);
    }
    for (int i = 0; i < 3; i++) {
      predictor.observe(50_000, 5, false);
    }
    assertThat(predictor.expectedRemaining(50_000, 0, 0)).isBetween(330, 420);
    assertThat(predictor.expectedRemaining(3_000, 0, 0)).isCloseTo(400, within(25));
  }

  @Test
  void bucket_neverSeen_isTheOneAbove() {
    for (int i = 0; i < 500; i++) {
      predictor.observe(1_024, 100, false);
    }
    assertThat(predictor.medianRemaining(1_900, 0, 0)).isCloseTo(100, within(2));
    assertThat(predictor.medianRemaining(1, 0, 0)).isCloseTo(100, within(2));
  }

  @Test
  void cutOff_countsAsLongerAndNotAsEnded() {
    LengthPredictor ignorant = PredictorKind.KAPLAN_MEIER.create(4_096);
    for (int i = 0; i < 400; i++) {
      predictor.observe(500, i % 2 == 0 ? 100 : 300, i % 2 == 0);
      ignorant.observe(500, i % 2 == 0 ? 100 : 300, false);
    }
    assertThat(ignorant.medianRemaining(500, 0, 0)).isCloseTo(100, within(2));
    assertThat(predictor.medianRemaining(500, 0, 0)).isCloseTo(300, within(4));
  }

  @Test
  void beyondTheLongestSeen_remainsAShareOfTheLife() {
    for (int i = 0; i < 1_000; i++) {
      predictor.observe(500, 1 + i % 500, false);
    }
    assertThat(predictor.expectedRemaining(500, 600, 0)).isBetween(50, 400);
    assertThat(predictor.expectedRemaining(500, 2_000, 0)).isBetween(300, 600);
    assertThat(predictor.expectedRemaining(500, 4_095, 0)).isEqualTo(1);
  }

  @Test
  void declared_outlived_asksTheSurvivors() {
    LengthPredictor declared = PredictorKind.DECLARED.create(4_096);
    for (int i = 0; i < 100; i++) {
      declared.observe(500, 300, false);
      predictor.observe(500, 300, false);
    }
    assertThat(declared.expectedRemaining(500, 20, 60)).isEqualTo(40);
    assertThat(declared.quantileRemaining(500, 20, 60, 950)).isEqualTo(40);
    assertThat(declared.expectedRemaining(500, 60, 60))
        .isEqualTo(predictor.expectedRemaining(500, 60, 0));
    assertThat(declared.expectedRemaining(500, 60, 0))
        .isEqualTo(predictor.expectedRemaining(500, 60, 0));
    assertThat(declared.expectedRemaining(500, 0, 9_999)).isEqualTo(4_096);
  }
}
