package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;

/// How far a fit is from the measurements it was made from, as relative errors in per cent.
public record FitErrors(int samples, double meanPercent, double p90Percent, double maxPercent) {

  public FitErrors {
    Check.range("samples", samples, 1, Integer.MAX_VALUE);
    Check.notNegative("meanPercent", meanPercent);
    Check.notNegative("p90Percent", p90Percent);
    Check.notNegative("maxPercent", maxPercent);
  }

  static FitErrors from(JsonReader json) {
    return new FitErrors(
        json.count("samples"),
        json.number("meanPercent"),
        json.number("p90Percent"),
        json.number("maxPercent"));
  }
}
