package io.fusespill.replay.timeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PairsTest {

  @Test
  void errors_areOfAllPairs() {
    Pairs pairs = new Pairs();
    pairs.add(90, 100);
    pairs.add(100, 100);
    pairs.add(300, 100);
    pairs.add(30, 100);

    assertThat(pairs.count()).isEqualTo(4);
    assertThat(pairs.meanError()).isEqualTo(70);
    assertThat(pairs.meanRelativeError()).isCloseTo(0.7, within(1e-12));
    assertThat(pairs.bias()).isCloseTo(0.3, within(1e-12));
    assertThat(pairs.withinTenth()).isEqualTo(0.5);
    assertThat(pairs.withinDouble()).isEqualTo(0.5);
  }

  @Test
  void manyPairs_areThinnedEvenly() {
    Pairs pairs = new Pairs();
    int count = 40_000;
    for (int i = 0; i < count; i++) {
      pairs.add(i, 1);
    }
    assertThat(pairs.count()).isEqualTo(count);
    assertThat(pairs.kept()).hasSizeBetween(Pairs.PAIRS_MAX / 2, Pairs.PAIRS_MAX);
    for (int i = 0; i < pairs.kept().size(); i++) {
      assertThat(pairs.kept().get(i).predicted()).isEqualTo(16.0 * i);
    }
  }
}
