package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.StepShape;

/// A step that was measured.
///
/// @param nanos how long its device was at work on it, at least 1
public record StepSample(StepShape shape, long nanos) {

  public StepSample {
    if (nanos < 1) {
      throw new IllegalArgumentException("nanos is %d, must be at least 1".formatted(nanos));
    }
  }
}
