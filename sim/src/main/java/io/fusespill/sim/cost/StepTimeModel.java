package io.fusespill.sim.cost;

/// The time of a step from its shape. The same shape always takes the same time, on every machine.
public interface StepTimeModel {

  /// Nanoseconds, at least 1: a step of no time would stall virtual time.
  long nanos(StepShape shape);

  /// As [#nanos], where attention of other sequences runs elsewhere beside the device's own decode
  /// attention, layer by layer: the step takes longer where that takes longer.
  ///
  /// @param remoteNanos time of the attention elsewhere
  default long nanos(StepShape shape, long remoteNanos) {
    return nanos(shape) + Math.max(0, remoteNanos - breakdown(shape).kvNanos());
  }

  /// How many steps it was asked about so far that lie outside what it was made from.
  default long extrapolations() {
    return 0;
  }

  /// The same time by cause.
  StepCost breakdown(StepShape shape);
}
