package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;
import java.util.EnumMap;
import java.util.Map;

/// A linear step time for a stretch of batch sizes: intercept + Σ coefficient × feature.
///
/// @param decodesMax largest number of decodes it is for
/// @param interceptNanos finite, at least 0
/// @param nanosPer nanoseconds for one unit of a feature, finite and at least 0; a feature that is
///   absent costs nothing
public record FittedSegment(
    int decodesMax, double interceptNanos, Map<StepFeature, Double> nanosPer) {

  public FittedSegment {
    Check.range("decodesMax", decodesMax, 0, Integer.MAX_VALUE);
    Check.notNegative("interceptNanos", interceptNanos);
    nanosPer.forEach((feature, nanos) -> Check.notNegative("nanosPer." + feature.label(), nanos));
    nanosPer = StepFeature.ordered(nanosPer);
  }

  static FittedSegment from(JsonReader json) {
    JsonReader coefficients = json.object("nanosPer");
    Map<StepFeature, Double> nanosPer = new EnumMap<>(StepFeature.class);
    for (StepFeature feature : StepFeature.values()) {
      if (coefficients.has(feature.label())) {
        nanosPer.put(feature, coefficients.number(feature.label()));
      }
    }
    return new FittedSegment(
        json.has("decodesMax") ? json.count("decodesMax") : Integer.MAX_VALUE,
        json.number("interceptNanos"),
        nanosPer);
  }
}
