package io.fusespill.traces;

/// Range checks whose message names the value and what is legal.
final class Check {

  private Check() {}

  static void range(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          max == Long.MAX_VALUE
              ? "%s is %d, must be at least %d".formatted(name, value, min)
              : "%s is %d, must be %d to %d".formatted(name, value, min, max));
    }
  }

  /// A rate of arrivals: above 0, as otherwise none would arrive.
  static void rate(double value, double max) {
    if (!(value > 0 && value <= max)) {
      throw new IllegalArgumentException(
          "rate is %s, must be above 0 and at most %,.0f requests per second"
              .formatted(value, max));
    }
  }

  /// Refuses NaN and the infinities too.
  static void range(String name, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw new IllegalArgumentException(
          "%s is %s, must be %s to %s".formatted(name, value, min, max));
    }
  }
}
