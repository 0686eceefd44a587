package io.fusespill.sim.cost;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;

/// The held-out errors of steps that are alike.
///
/// @param region which steps, in words: `decodes 9 to 32`
public record RegionErrors(String region, FitErrors errors) {

  public RegionErrors {
    Check.text("region", region);
  }

  static RegionErrors from(JsonReader json) {
    return new RegionErrors(json.text("region"), FitErrors.from(json));
  }

  void writeTo(ObjectNode json) {
    json.put("region", region);
    errors.writeTo(json);
  }
}
