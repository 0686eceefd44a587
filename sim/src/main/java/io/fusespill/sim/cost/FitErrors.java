package io.fusespill.sim.cost;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;
import io.fusespill.sim.profile.ProfileException;

/// How far predictions are from measurements that the fit did not see, in per cent of what was
/// measured.
///
/// @param samples measurements, at least 1
/// @param meanPercent mean of the relative errors without their signs
/// @param p90Percent what nine in ten of these do not exceed
/// @param maxPercent the largest of them
/// @param biasPercent sum of what was predicted over sum of what was measured, less 1: above 0, too
///   much was predicted
public record FitErrors(
    int samples, double meanPercent, double p90Percent, double maxPercent, double biasPercent) {

  public FitErrors {
    Check.range("samples", samples, 1, Integer.MAX_VALUE);
    Check.notNegative("meanPercent", meanPercent);
    Check.notNegative("p90Percent", p90Percent);
    Check.notNegative("maxPercent", maxPercent);
    if (!Double.isFinite(biasPercent)) {
      throw new ProfileException("biasPercent is %s, must be finite".formatted(biasPercent));
    }
  }

  static FitErrors from(JsonReader json) {
    return new FitErrors(
        json.count("samples"),
        json.number("meanPercent"),
        json.number("p90Percent"),
        json.number("maxPercent"),
        json.number("biasPercent"));
  }

  void writeTo(ObjectNode json) {
    json.put("samples", samples);
    json.put("meanPercent", Digits.of(meanPercent));
    json.put("p90Percent", Digits.of(p90Percent));
    json.put("maxPercent", Digits.of(maxPercent));
    json.put("biasPercent", Digits.of(biasPercent));
  }
}
