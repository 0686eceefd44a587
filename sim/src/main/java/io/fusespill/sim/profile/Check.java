package io.fusespill.sim.profile;

import java.util.Locale;

/// Range checks whose message names the value and what is legal.
public final class Check {

  private Check() {}

  /// Throws [ProfileException] unless `min <= value <= max`.
  public static void range(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new ProfileException(
          max == Long.MAX_VALUE
              ? "%s is %d, must be at least %d".formatted(name, value, min)
              : "%s is %d, must be %d to %d".formatted(name, value, min, max));
    }
  }

  /// Throws [ProfileException] unless `0 < value <= 1`.
  public static void fraction(String name, double value) {
    if (!(value > 0 && value <= 1)) {
      throw new ProfileException(
          String.format(Locale.ROOT, "%s is %s, must be above 0 and at most 1", name, value));
    }
  }

  /// Throws [ProfileException] unless `value` is finite and at least 0.
  public static void notNegative(String name, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw new ProfileException(
          String.format(Locale.ROOT, "%s is %s, must be finite and at least 0", name, value));
    }
  }

  /// Throws [ProfileException] if `value` is blank.
  public static void text(String name, String value) {
    if (value.isBlank()) {
      throw new ProfileException(name + " is empty, must name something");
    }
  }
}
