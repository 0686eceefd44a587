package io.fusespill.replay.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordingTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0     |   60000 | 0.000",
        "43    | 22000000 | 0.002",
        "77    |    8774 | 8.78",
        "2600 |   70200 | 37.0",
        "2600 |      100 | 26,000"
      })
  void lostPerFree_hasTheDigitsOfAnEstimate(long lost, long free, String text) {
    HandlingEstimate estimate = new HandlingEstimate(Handling.STAY, -1, lost, free);
    assertThat(Wording.lostPerFree(estimate)).isEqualTo(text);
  }
}
