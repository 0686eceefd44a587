package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokenEstimateTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "Hello, world!|4",
        "internationalization|2",
        "12345|2",
        "a\\n\\nb|3",
        " x|1",
        "  x|2",
        "naïve|1",
        "日本語|3",
        "==== 1|3",
        "😀|1",
      })
  void of_eachKindOfRun_isCountedByItsRule(String text, int tokens) {
    assertThat(TokenEstimate.of(text.replace("\\n", "\n"))).isEqualTo(tokens);
  }

  @ParameterizedTest
  @CsvSource({"''", "' '"})
  void of_nothing_isTheTokenThatEndsIt(String text) {
    assertThat(TokenEstimate.of(text)).isEqualTo(1);
  }
}
