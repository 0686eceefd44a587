package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ArrivalUnitTest {

  @ParameterizedTest
  @CsvSource({
    "SECONDS, 0, 0",
    "SECONDS, 1, 1000000000",
    "SECONDS, 0.1, 100000000",
    "SECONDS, 0.123456789, 123456789",
    "SECONDS, 0.0000000004999, 0",
    "SECONDS, 0.0000000005, 1",
    "SECONDS, 1e-9, 1",
    "SECONDS, 1e-999999999, 0",
    "SECONDS, 0e999999999, 0",
    "SECONDS, 2.5E3, 2500000000000",
    "SECONDS, 1787267980.0827403, 1787267980082740300",
    "SECONDS, 9223372036.854775807, 9223372036854775807",
    "MILLISECONDS, 3536999, 3536999000000",
    "MILLISECONDS, 0.0000015, 2",
    "NANOSECONDS, 46926808, 46926808",
    "NANOSECONDS, 0.5, 1",
    "NANOSECONDS, 9223372036854775807, 9223372036854775807",
  })
  void nanos_decimalNumber_isExactToHalfANanosecond(ArrivalUnit unit, String text, long nanos) {
    assertThat(unit.nanos("at", text)).isEqualTo(nanos);
  }

  /// A double has 53 bits: near this time its steps are 238 ns.
  @Test
  void nanos_moreDigitsThanADouble_areKept() {
    assertThat(ArrivalUnit.SECONDS.nanos("at", "1787267980.082740301"))
        .isEqualTo(1_787_267_980_082_740_301L);
  }

  @Test
  void nanos_noSuchNumber_namesFieldTextAndRange() {
    List<String> bad =
        List.of(
            "",
            " ",
            "x",
            "NaN",
            "Infinity",
            "-0.1",
            "1,5",
            "0x1",
            "1e",
            "9223372036.854775808",
            "1e999999999",
            "1".repeat(65));
    for (String text : bad) {
      assertThatThrownBy(() -> ArrivalUnit.SECONDS.nanos("arrived_at", text))
          .isInstanceOf(InvalidRowException.class)
          .hasMessage(
              "arrived_at is \"%s\", must be a decimal number of seconds, 0 to 9223372036", text);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SECONDS, 0, 0",
    "SECONDS, 1, 0.000000001",
    "SECONDS, 4314579000, 4.314579",
    "SECONDS, 100000000000, 100",
    "MILLISECONDS, 1500000, 1.5",
    "NANOSECONDS, 9223372036854775807, 9223372036854775807",
  })
  void decimal_nanos_isExactWithoutExponent(ArrivalUnit unit, long nanos, String text) {
    assertThat(unit.decimal(nanos)).isEqualTo(text);
    assertThat(unit.nanos("at", text)).isEqualTo(nanos);
  }
}
