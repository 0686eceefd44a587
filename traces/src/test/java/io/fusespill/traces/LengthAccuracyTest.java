package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

final class LengthAccuracyTest {

  @Test
  void summary_fourRequests_isAsByHand() {
    // errors 1, 2, 0, 30; six pairs, of which 10 and 40 is wrong, 20 and 40 wrong, 30 and 40 wrong
    assertThat(of(11, 10, 22, 20, 30, 30, 10, 40))
        .isEqualTo(new LengthAccuracy.Summary(4, 8.25, 1, 3 / 6.0));
  }

  @Test
  void summary_saidEqual_countsHalf() {
    assertThat(of(5, 1, 5, 2, 5, 3).pairwiseAccuracy()).isEqualTo(0.5);
  }

  @Test
  void summary_trulyEqual_isNotCompared() {
    // only 7 and 9 differ, two pairs, one in order
    assertThat(of(1, 7, 3, 7, 2, 9).pairwiseAccuracy()).isEqualTo(0.5);
    assertThat(of(1, 7, 3, 7).pairwiseAccuracy()).isNaN();
  }

  @Test
  void summary_nothing_isDefined() {
    assertThat(of()).isEqualTo(new LengthAccuracy.Summary(0, 0, 0, Double.NaN));
  }

  @Test
  void summary_manyRequests_agreesWithEveryPairCompared() {
    SeededRandom random = new SeededRandom(7, "pairs");
    int[] pairs = new int[2 * 300];
    for (int i = 0; i < pairs.length; i++) {
      pairs[i] = random.nextInt(1, 40);
    }
    double right = 0;
    int compared = 0;
    for (int i = 0; i < pairs.length; i += 2) {
      for (int j = 0; j < i; j += 2) {
        int truth = Integer.compare(pairs[i + 1], pairs[j + 1]);
        int said = Integer.compare(pairs[i], pairs[j]);
        if (truth != 0) {
          compared++;
          right += said == truth ? 1 : said == 0 ? 0.5 : 0;
        }
      }
    }
    assertThat(of(pairs).pairwiseAccuracy()).isCloseTo(right / compared, within(1e-12));
  }

  @Test
  void add_outOfRange_namesTheValue() {
    assertThatThrownBy(() -> of(-1, 1)).hasMessageContaining("saidTokens is -1");
    assertThatThrownBy(() -> of(1, 0)).hasMessageContaining("trueTokens is 0");
  }

  private static LengthAccuracy.Summary of(int... saidAndTrue) {
    LengthAccuracy accuracy = new LengthAccuracy();
    for (int i = 0; i < saidAndTrue.length; i += 2) {
      accuracy.add(saidAndTrue[i], saidAndTrue[i + 1]);
    }
    return accuracy.summary();
  }
}
