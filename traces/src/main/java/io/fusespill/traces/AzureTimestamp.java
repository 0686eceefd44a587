package io.fusespill.traces;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalTime;

/// A date and time as Azure's traces have it: `2023-11-16 18:15:46.6805900` or `2024-05-10
/// 00:00:00.009930+00:00`, both UTC, up to nine digits of a second.
///
/// Read by position: the JDK's formatter takes longer than the rest of the row.
final class AzureTimestamp {

  private static final String SHAPE = "0000-00-00 00:00:00";
  private static final String UTC = "+00:00";
  private static final int FRACTION_DIGITS_MAX = 9;
  private static final int YEAR_MIN = 1970;
  private static final int YEAR_MAX = 2261;
  private static final long DAY_NANOS = 86_400_000_000_000L;

  private AzureTimestamp() {}

  static long epochNanos(String field, String text) {
    String local = text.endsWith(UTC) ? text.substring(0, text.length() - UTC.length()) : text;
    try {
      if (isShaped(local)) {
        int year = number(local, 0, 4);
        LocalDate date = LocalDate.of(year, number(local, 5, 7), number(local, 8, 10));
        LocalTime time =
            LocalTime.of(number(local, 11, 13), number(local, 14, 16), number(local, 17, 19));
        if (year >= YEAR_MIN && year <= YEAR_MAX) {
          return date.toEpochDay() * DAY_NANOS + time.toNanoOfDay() + fractionNanos(local);
        }
      }
    } catch (DateTimeException e) {
      throw invalid(field, text);
    }
    throw invalid(field, text);
  }

  private static boolean isShaped(String text) {
    int length = text.length();
    int fractionDigits = length - SHAPE.length() - 1;
    if (length < SHAPE.length() || fractionDigits == 0 || fractionDigits > FRACTION_DIGITS_MAX) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      char expected = i < SHAPE.length() ? SHAPE.charAt(i) : i == SHAPE.length() ? '.' : '0';
      char actual = text.charAt(i);
      if (expected == '0' ? actual < '0' || actual > '9' : actual != expected) {
        return false;
      }
    }
    return true;
  }

  private static long fractionNanos(String text) {
    long nanos = 0;
    for (int digit = 1; digit <= FRACTION_DIGITS_MAX; digit++) {
      int index = SHAPE.length() + digit;
      nanos = 10 * nanos + (index < text.length() ? text.charAt(index) - '0' : 0);
    }
    return nanos;
  }

  private static int number(String text, int from, int to) {
    return Integer.parseInt(text, from, to, 10);
  }

  private static InvalidRowException invalid(String field, String text) {
    return new InvalidRowException(
        "%s is \"%s\", must be a UTC time of %d to %d like 2023-11-16 18:15:46.6805900"
            .formatted(field, Excerpt.of(text), YEAR_MIN, YEAR_MAX));
  }
}
