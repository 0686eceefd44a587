package io.fusespill.sim.cost;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;

/// What a step takes longer because another place attends for some of its rows: a hand-off, each
/// row, each KV token that is read there.
///
/// @param overlapped whether the device's own decode attention runs meanwhile, so that only what
///   exceeds it counts
public record FittedRemote(
    double handOffNanos, double rowNanos, double tokenNanos, boolean overlapped) {

  public FittedRemote {
    Check.notNegative("handOffNanos", handOffNanos);
    Check.notNegative("rowNanos", rowNanos);
    Check.notNegative("tokenNanos", tokenNanos);
  }

  static FittedRemote from(JsonReader json) {
    return new FittedRemote(
        json.number("handOffNanos"),
        json.number("rowNanos"),
        json.number("tokenNanos"),
        json.flag("overlapped"));
  }

  /// What the step takes longer, in nanoseconds.
  ///
  /// @param kvNanos the device's own decode attention
  public double nanos(StepShape shape, double kvNanos) {
    if (shape.remoteRows() == 0) {
      return 0;
    }
    double away =
        handOffNanos + shape.remoteRows() * rowNanos + shape.remoteContextTokens() * tokenNanos;
    return overlapped ? Math.max(0, away - kvNanos) : away;
  }

  FittedRemote stretched(double factor) {
    return new FittedRemote(
        factor * handOffNanos, factor * rowNanos, factor * tokenNanos, overlapped);
  }

  FittedRemote rounded() {
    return new FittedRemote(
        Digits.of(handOffNanos), Digits.of(rowNanos), Digits.of(tokenNanos), overlapped);
  }

  void writeTo(ObjectNode json) {
    json.put("handOffNanos", handOffNanos);
    json.put("rowNanos", rowNanos);
    json.put("tokenNanos", tokenNanos);
    json.put("overlapped", overlapped);
  }
}
