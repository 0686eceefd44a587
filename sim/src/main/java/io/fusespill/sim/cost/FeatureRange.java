package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;

/// The values of a feature that were measured, both ends included.
public record FeatureRange(long min, long max) {

  public FeatureRange {
    Check.range("the lower end of a range", min, 0, Long.MAX_VALUE);
    Check.range("the upper end of a range", max, min, Long.MAX_VALUE);
  }
}
