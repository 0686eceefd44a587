package io.fusespill.sim.cost;

import java.math.BigDecimal;
import java.math.MathContext;

/// Numbers as a profile file has them.
final class Digits {

  private static final MathContext SEVEN = new MathContext(7);

  private Digits() {}

  /// The number to seven significant digits: far beyond what a measurement is good for.
  static double of(double number) {
    return Double.isFinite(number) ? new BigDecimal(number).round(SEVEN).doubleValue() : number;
  }
}
