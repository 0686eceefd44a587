package io.fusespill.replay.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimeBinsTest {

  @ParameterizedTest
  @ValueSource(longs = {1, 999, 1_024_000, 1_024_001, 60_000_000_000L, 7_776_000_000_000_000L})
  void anyLength_keepsTheIntegralInAtMostSoManyBins(long until) {
    TimeBins bins = new TimeBins(1, Span.ALL);
    long half = until / 2;
    bins.hold(0, 0, half, 3);
    bins.hold(0, half, until, 5);

    double sum = 0;
    for (int bin = 0; bin < bins.bins(); bin++) {
      sum += bins.sum(0, bin);
    }
    assertThat(sum).isEqualTo(3.0 * half + 5.0 * (until - half));
    assertThat(bins.bins()).isBetween(1, TimeBins.BINS);
    assertThat(bins.binUntilNanos(bins.bins() - 1)).isEqualTo(until);
    if (bins.bins() > 2) {
      assertThat(bins.mean(0, bins.bins() - 1)).isEqualTo(5);
    }
    assertThat(bins.peak(0, bins.bins() - 1)).isEqualTo(5);
  }

  @Test
  void whenBinsMerge_doesNotMatter() {
    TimeBins oneByOne = new TimeBins(2, Span.ALL);
    TimeBins reached = new TimeBins(2, Span.ALL);
    reached.reach(50_000_000);
    for (long at = 0; at < 50_000_000; at += 1_250) {
      for (TimeBins bins : new TimeBins[] {oneByOne, reached}) {
        bins.hold(0, at, at + 1_250, at % 7);
        bins.count(1, at, 1);
      }
    }
    assertThat(oneByOne.bins()).isEqualTo(reached.bins());
    for (int bin = 0; bin < reached.bins(); bin++) {
      assertThat(oneByOne.sum(0, bin)).isEqualTo(reached.sum(0, bin));
      assertThat(oneByOne.sum(1, bin)).isEqualTo(reached.sum(1, bin));
      assertThat(oneByOne.peak(0, bin)).isEqualTo(reached.peak(0, bin));
    }
  }

  @Test
  void outsideTheSpan_isLeftOut() {
    TimeBins bins = new TimeBins(1, new Span(2_000, 5_000));
    bins.hold(0, 0, 3_000, 10);
    bins.hold(0, 4_000, 90_000, 1);
    bins.count(0, 1_999, 100);
    bins.count(0, 5_000, 100);

    assertThat(bins.bins()).isEqualTo(3);
    assertThat(bins.binFromNanos(0)).isEqualTo(2_000);
    assertThat(new double[] {bins.mean(0, 0), bins.mean(0, 1), bins.mean(0, 2)})
        .containsExactly(10, 0, 1);
  }
}
