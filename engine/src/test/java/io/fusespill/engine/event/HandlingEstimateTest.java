package io.fusespill.engine.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.api.Test;

class HandlingEstimateTest {

  private static final List<Long> VALUES =
      List.of(1L, 2L, 3L, 1_000L, 1L << 31, 1L << 32, (1L << 62) + 1, Long.MAX_VALUE);

  private static HandlingEstimate estimate(long lost, long free) {
    return new HandlingEstimate(Handling.SWAP, 1, lost, free);
  }

  /// Compared with quotients of numbers without a limit.
  @Test
  void cheaperThan_isTheExactOrderOfTheRates() {
    for (long lost : VALUES) {
      for (long free : VALUES) {
        for (long otherLost : VALUES) {
          for (long otherFree : VALUES) {
            int rates =
                BigInteger.valueOf(lost)
                    .multiply(BigInteger.valueOf(otherFree))
                    .compareTo(BigInteger.valueOf(otherLost).multiply(BigInteger.valueOf(free)));
            boolean cheaper = rates < 0 || (rates == 0 && lost < otherLost);
            assertThat(estimate(lost, free).cheaperThan(estimate(otherLost, otherFree)))
                .as("%d/%d against %d/%d", lost, free, otherLost, otherFree)
                .isEqualTo(cheaper);
          }
        }
      }
    }
  }

  @Test
  void cheaperThan_nothingLost_isTheCheapest() {
    assertThat(estimate(0, 1).cheaperThan(estimate(1, Long.MAX_VALUE))).isTrue();
    assertThat(estimate(0, 1).cheaperThan(estimate(0, 2))).isFalse();
    assertThat(estimate(0, 2).cheaperThan(estimate(0, 1))).isFalse();
  }

  @Test
  void figuresBelowTheirRange_areRefused() {
    assertRefused(-2, 0, 1);
    assertRefused(-1, -1, 1);
    assertRefused(-1, 0, 0);
    assertRefused(-1, 0, Long.MIN_VALUE);
  }

  private static void assertRefused(int place, long lost, long free) {
    assertThatThrownBy(() -> new HandlingEstimate(Handling.RECOMPUTE, place, lost, free))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("RECOMPUTE to place %d loses %d ns", place, lost);
  }
}
