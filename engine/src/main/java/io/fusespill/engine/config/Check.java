package io.fusespill.engine.config;

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
}
