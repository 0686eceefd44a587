package io.fusespill.engine.length;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SurvivalCurveTest {

  private static final LogBins BINS = new LogBins(64, 100);

  /// Weeks in remission of the 21 patients given 6-mercaptopurine: Freireich and others, Blood 21
  /// (1963), the example of Cox and Oakes, "Analysis of Survival Data" (1984). Negative: censored.
  private static final int[] REMISSION = {
    6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35
  };

  private static SurvivalCurve unshrunk(int... lengths) {
    LengthCounts counts = new LengthCounts(BINS);
    for (int length : lengths) {
      counts.add(Math.abs(length), length < 0);
    }
    return SurvivalCurve.of(counts, SurvivalCurve.prior(BINS), 0);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1",
    "5, 1",
    "6, 0.857",
    "7, 0.807",
    "9, 0.807",
    "10, 0.753",
    "12, 0.753",
    "13, 0.690",
    "16, 0.627",
    "21, 0.627",
    "22, 0.538",
    "23, 0.448",
    "35, 0.448"
  })
  void above_remissionTimes_isThePublishedEstimate(int weeks, double share) {
    assertThat(unshrunk(REMISSION).above(weeks)).isCloseTo(share, within(0.000_5));
  }

  @Test
  void quantile_remissionTimes_isReadOffTheCurve() {
    SurvivalCurve curve = unshrunk(REMISSION);
    assertThat(curve.quantileRemaining(0, 500)).isEqualTo(23);
    assertThat(curve.quantileRemaining(0, 143)).isEqualTo(7);
    assertThat(curve.quantileRemaining(0, 142)).isEqualTo(6);
    // of those beyond week 10 (0.753), 0.538 / 0.753 = 0.714 are beyond week 22
    assertThat(curve.quantileRemaining(10, 280)).isEqualTo(12);
    assertThat(curve.quantileRemaining(10, 290)).isEqualTo(13);
  }

  @Test
  void remaining_nobodyCutOff_isThatOfTheLongerOnes() {
    SurvivalCurve curve = unshrunk(2, 4, 4, 10);
    assertThat(curve.expectedRemaining(0)).isEqualTo(5);
    assertThat(curve.expectedRemaining(1)).isEqualTo(4);
    assertThat(curve.expectedRemaining(2)).isEqualTo(4);
    assertThat(curve.expectedRemaining(4)).isEqualTo(6);
    assertThat(curve.expectedRemaining(9)).isEqualTo(1);
    assertThat(curve.quantileRemaining(0, 250)).isEqualTo(2);
    assertThat(curve.quantileRemaining(0, 251)).isEqualTo(4);
    assertThat(curve.quantileRemaining(0, 750)).isEqualTo(4);
    assertThat(curve.quantileRemaining(0, 751)).isEqualTo(10);
    assertThat(curve.quantileRemaining(2, 500)).isEqualTo(2);
    assertThat(curve.quantileRemaining(4, 1)).isEqualTo(6);
  }

  /// With a prior of weight 4 in which half of all end at 2 and the rest at 4: at 2, 2 of 4 + 4
  /// end; at 4, 1 + 2 of 1 + 2.
  @Test
  void of_withPrior_countsItAsSequences() {
    LengthCounts counts = new LengthCounts(BINS);
    counts.add(4, false);
    counts.add(1, true);
    SurvivalCurve curve = SurvivalCurve.of(counts, unshrunk(2, 4), 4);
    assertThat(curve.above(1)).isCloseTo(1, within(1e-12));
    assertThat(curve.above(2)).isCloseTo(1 - 2.0 / (1 + 4), within(1e-12));
    assertThat(curve.above(3)).isCloseTo(0.6, within(1e-12));
    assertThat(curve.above(4)).isCloseTo(0, within(1e-12));
  }

  @Test
  void wideBin_endsAreSpreadEvenly() {
    LogBins wide = new LogBins(64, 1_000);
    LengthCounts counts = new LengthCounts(wide);
    counts.add(401, false); // the bin is 400 to 403
    SurvivalCurve curve = SurvivalCurve.of(counts, SurvivalCurve.prior(wide), 0);
    assertThat(curve.above(399)).isEqualTo(1);
    assertThat(curve.above(400)).isEqualTo(0.75);
    assertThat(curve.quantileRemaining(0, 500)).isEqualTo(401);
    assertThat(curve.quantileRemaining(401, 500)).isEqualTo(1);
    assertThat(curve.expectedRemaining(400)).isEqualTo(2);
  }

  /// The medians and means of a Pareto tail with exponent 5: half of those beyond g are beyond g
  /// times the fifth root of 2, the mean is 5/4 of g.
  @Test
  void prior_beyondItsTable_remainsAQuarterOfTheLife() {
    SurvivalCurve prior = SurvivalCurve.prior(new LogBins(64, LengthPredictor.MAX_TOKENS));
    for (int generated : new int[] {1_000, 5_000, 100_000}) {
      assertThat(prior.expectedRemaining(generated))
          .isCloseTo(generated / 4, within(generated / 200));
      assertThat(prior.quantileRemaining(generated, 500))
          .isCloseTo((int) (0.148_7 * generated), within(generated / 200));
    }
  }

  @Test
  void median_lookedUp_isBetweenItsNeighbours() {
    SurvivalCurve prior = SurvivalCurve.prior(new LogBins(64, 4_096));
    for (int generated = 0; generated < 4_096; generated++) {
      assertThat(prior.quantileRemaining(generated, 500))
          .isBetween(
              prior.quantileRemaining(generated, 499), prior.quantileRemaining(generated, 501));
    }
  }

  @Test
  void atTheMaximum_oneIsLeft() {
    SurvivalCurve curve = unshrunk(2, 300);
    assertThat(curve.expectedRemaining(2)).isEqualTo(98);
    assertThat(curve.quantileRemaining(2, 1_000)).isEqualTo(98);
    assertThat(curve.expectedRemaining(100)).isEqualTo(1);
    assertThat(curve.expectedRemaining(5_000)).isEqualTo(1);
    assertThat(curve.quantileRemaining(5_000, 500)).isEqualTo(1);
    assertThat(curve.above(100)).isZero();
  }
}
