package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Against Python 3's statistics.NormalDist and math.erfc.
final class StandardNormalTest {

  @ParameterizedTest
  @CsvSource({
    "1e-300, -37.0470962993612",
    "1e-12, -7.034483825301132",
    "1e-05, -4.2648907939228256",
    "0.001, -3.090232306167813",
    "0.025, -1.9599639845400538",
    "0.075, -1.4395314709384557",
    "0.3, -0.5244005127080407",
    "0.5, 0",
    "0.9, 1.2815515655446008",
    "0.999999, 4.753424308817089",
  })
  void quantile_knownShares_areExact(double p, double x) {
    assertThat(StandardNormal.quantile(p)).isCloseTo(x, within(1e-15 * (1 + Math.abs(x))));
  }

  @ParameterizedTest
  @CsvSource({
    "-7, 1.279812543885835e-12",
    "-3, 0.0013498980316300957",
    "-0.5, 0.3085375387259869",
    "0, 0.5",
    "1, 0.8413447460685429",
    "2.5, 0.9937903346742238",
    "40, 1",
    "-40, 0",
  })
  void cdf_knownValues_areClose(double x, double p) {
    assertThat(StandardNormal.cdf(x)).isCloseTo(p, within(1e-12));
  }

  @Test
  void cdf_ofQuantile_isTheShare() {
    for (double p = 0.0005; p < 1; p += 0.0005) {
      assertThat(StandardNormal.cdf(StandardNormal.quantile(p)))
          .isCloseTo(p, withinPercentage(1e-9));
    }
  }
}
