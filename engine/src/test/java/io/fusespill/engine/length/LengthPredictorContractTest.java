package io.fusespill.engine.length;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What each kind of predictor keeps.
class LengthPredictorContractTest {

  private static final int MAX = 1_000;
  private static final int HINT = 300;

  @ParameterizedTest
  @EnumSource
  void remaining_always_isOneToWhatTheMaximumLeaves(PredictorKind kind) {
    LengthPredictor predictor = kind.create(MAX);
    for (int round = 0; round < 40; round++) {
      for (int generated = 0; generated <= MAX + 50; generated += 35) {
        int most = kind == PredictorKind.NONE ? MAX : Math.max(1, MAX - generated);
        int prompt = 1 << (round % 14);
        assertThat(predictor.expectedRemaining(prompt, generated, HINT)).isBetween(1, most);
        int least = 1;
        for (int permille = 0; permille <= 1_000; permille += 20) {
          int quantile = predictor.quantileRemaining(prompt, generated, HINT, permille);
          assertThat(quantile).isBetween(least, most);
          least = quantile;
        }
        assertThat(predictor.medianRemaining(prompt, generated, HINT))
            .isEqualTo(predictor.quantileRemaining(prompt, generated, HINT, 500));
      }
      new Histories(round).feed(predictor, 1 + round * 3);
    }
  }

  @ParameterizedTest
  @EnumSource
  void answers_followFromTheHistoryAlone(PredictorKind kind) {
    LengthPredictor silent = kind.create(MAX);
    LengthPredictor asked = kind.create(MAX);
    for (int i = 0; i < 1_000; i++) {
      new Histories(i).feed(silent, 1);
      new Histories(i).feed(asked, 1);
      asked.expectedRemaining(1 + i, i % 50, HINT);
      assertThat(asked.fingerprint()).isEqualTo(silent.fingerprint());
    }
    for (int generated = 0; generated < MAX; generated += 7) {
      assertThat(asked.expectedRemaining(500, generated, HINT))
          .isEqualTo(silent.expectedRemaining(500, generated, HINT));
      assertThat(asked.quantileRemaining(500, generated, HINT, 900))
          .isEqualTo(silent.quantileRemaining(500, generated, HINT, 900));
    }
  }

  @ParameterizedTest
  @EnumSource
  void fingerprint_otherHistory_isOther(PredictorKind kind) {
    long empty = kind.create(MAX).fingerprint();
    long one = fingerprint(kind, new int[] {10, 20, 0});
    assertThat(one).isNotEqualTo(empty);
    assertThat(fingerprint(kind, new int[] {10, 20, 0})).isEqualTo(one);
    assertThat(fingerprint(kind, new int[] {11, 20, 0})).isNotEqualTo(one);
    assertThat(fingerprint(kind, new int[] {10, 21, 0})).isNotEqualTo(one);
    assertThat(fingerprint(kind, new int[] {20, 10, 0})).isNotEqualTo(one);
    assertThat(fingerprint(kind, new int[] {10, 20, 1})).isNotEqualTo(one);
    assertThat(fingerprint(kind, new int[] {10, 20, 0}, new int[] {30, 40, 0}))
        .isNotEqualTo(fingerprint(kind, new int[] {30, 40, 0}, new int[] {10, 20, 0}));
  }

  private static long fingerprint(PredictorKind kind, int[]... sequences) {
    LengthPredictor predictor = kind.create(MAX);
    for (int[] sequence : sequences) {
      predictor.observe(sequence[0], sequence[1], sequence[2] == 1);
    }
    return predictor.fingerprint();
  }

  @ParameterizedTest
  @EnumSource
  void observe_cutOffBeforeItsFirstToken_isLegal(PredictorKind kind) {
    LengthPredictor predictor = kind.create(MAX);
    int before = predictor.expectedRemaining(100, 0, HINT);
    predictor.observe(100, 0, true);
    assertThat(predictor.expectedRemaining(100, 0, HINT)).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource
  void named_itsLabel_isTheKind(PredictorKind kind) {
    assertThat(PredictorKind.named(kind.label())).isEqualTo(kind);
    assertThat(kind.description()).isNotBlank();
  }

  @Test
  void named_unknown_listsAll() {
    assertThatThrownBy(() -> PredictorKind.named("mean"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "no predictor 'mean'; there are [kaplan-meier, declared, last-value, maximum, none, oracle]");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, LengthPredictor.MAX_TOKENS + 1})
  void create_maximumOutOfRange_isRefused(int max) {
    assertThatThrownBy(() -> PredictorKind.KAPLAN_MEIER.create(max))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("maxOutputTokens is " + max);
  }

  @ParameterizedTest
  @EnumSource
  void create_extremes_answer(PredictorKind kind) {
    assertThat(kind.create(1).expectedRemaining(1, 0, HINT)).isEqualTo(1);
    LengthPredictor largest = kind.create(LengthPredictor.MAX_TOKENS);
    largest.observe(LengthPredictor.MAX_TOKENS, LengthPredictor.MAX_TOKENS, false);
    assertThat(largest.expectedRemaining(LengthPredictor.MAX_TOKENS, 5_000_000, 5_000_001))
        .isBetween(1, LengthPredictor.MAX_TOKENS);
  }
}
