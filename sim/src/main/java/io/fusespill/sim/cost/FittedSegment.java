package io.fusespill.sim.cost;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;
import java.util.EnumMap;
import java.util.Map;

/// A stretch of a term that is linear: intercept + Σ coefficient × feature.
///
/// @param upTo largest value of the term's feature that it is for, [Long#MAX_VALUE] in the last
/// @param interceptNanos finite, at least 0
/// @param nanosPer nanoseconds for one unit of a feature, finite and at least 0; a feature that is
///   absent costs nothing
public record FittedSegment(long upTo, double interceptNanos, Map<StepFeature, Double> nanosPer) {

  /// Stands for "all larger values".
  public static final long REST = Long.MAX_VALUE;

  public FittedSegment {
    Check.range("upTo", upTo, 0, Long.MAX_VALUE);
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
        json.has("upTo") ? json.whole("upTo") : REST, json.number("interceptNanos"), nanosPer);
  }

  /// The same with every number to as many digits as a file keeps.
  FittedSegment rounded() {
    Map<StepFeature, Double> rounded = new EnumMap<>(StepFeature.class);
    nanosPer.forEach((feature, nanos) -> {
      if (nanos > 0) {
        rounded.put(feature, Digits.of(nanos));
      }
    });
    return new FittedSegment(upTo, Digits.of(interceptNanos), rounded);
  }

  FittedSegment stretched(double factor) {
    Map<StepFeature, Double> stretched = new EnumMap<>(StepFeature.class);
    nanosPer.forEach((feature, nanos) -> stretched.put(feature, factor * nanos));
    return new FittedSegment(upTo, factor * interceptNanos, stretched);
  }

  void writeTo(ObjectNode json) {
    if (upTo != REST) {
      json.put("upTo", upTo);
    }
    json.put("interceptNanos", interceptNanos);
    ObjectNode coefficients = json.putObject("nanosPer");
    nanosPer.forEach((feature, nanos) -> coefficients.put(feature.label(), nanos));
  }
}
