package io.fusespill.traces;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The unit in which a format writes arrival times.
enum ArrivalUnit {
  SECONDS(9),
  MILLISECONDS(6),
  NANOSECONDS(0);

  private static final int MAX_CHARACTERS = 64;
  private static final int LONG_DIGITS = 19;

  private final int nanosDigits;

  ArrivalUnit(int nanosDigits) {
    this.nanosDigits = nanosDigits;
  }

  /// The decimal number `text` of this unit as nanoseconds, exact up to half a nanosecond (half
  /// rounds up).
  long nanos(String field, String text) {
    BigDecimal value = decimal(text);
    if (value == null || value.signum() < 0 || digits(value) > LONG_DIGITS) {
      throw invalid(field, text);
    }
    if (value.signum() == 0 || digits(value) < 0) {
      return 0;
    }
    BigDecimal nanos = value.movePointRight(nanosDigits).setScale(0, RoundingMode.HALF_UP);
    if (nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw invalid(field, text);
    }
    return nanos.longValue();
  }

  /// Nanoseconds as an exact decimal number of this unit.
  String decimal(long nanos) {
    return nanos == 0
        ? "0"
        : BigDecimal.valueOf(nanos, nanosDigits).stripTrailingZeros().toPlainString();
  }

  /// Digits of `value` before the point, in nanoseconds. Asked before anything is computed:
  /// 1e999999999 is short text and a number of a gigabyte.
  private long digits(BigDecimal value) {
    return value.signum() == 0 ? 0 : (long) value.precision() - value.scale() + nanosDigits;
  }

  private static @Nullable BigDecimal decimal(String text) {
    try {
      return text.length() > MAX_CHARACTERS ? null : new BigDecimal(text);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private InvalidRowException invalid(String field, String text) {
    return new InvalidRowException(
        "%s is \"%s\", must be a decimal number of %s, 0 to %s"
            .formatted(
                field,
                Excerpt.of(text),
                name().toLowerCase(Locale.ROOT),
                BigDecimal.valueOf(Long.MAX_VALUE).movePointLeft(nanosDigits).toBigInteger()));
  }
}
