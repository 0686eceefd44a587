package io.fusespill.replay.evaluate;

import io.fusespill.sim.Faults;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;

/// One simulation of an evaluation.
///
/// @param limits the specification's; the row's own come first
public record Cell(
    Platform platform,
    String model,
    NamedWorkload workload,
    PolicyRow row,
    long seed,
    Scenario.Limits limits) {

  /// What `simulate` would run, given the same by options.
  public Scenario scenario() {
    return new Scenario(
        model,
        row.topologyOn(platform),
        row.policy(),
        new Scenario.Limits(
            limits.blockTokens(),
            row.maxNumSeqs() > 0 ? row.maxNumSeqs() : limits.maxNumSeqs(),
            row.maxNumBatchedTokens() > 0
                ? row.maxNumBatchedTokens()
                : limits.maxNumBatchedTokens(),
            limits.maxModelTokens(),
            limits.checkpointEvents()),
        row.serving(),
        "roofline",
        Faults.NONE,
        1,
        seed,
        workload.workload().describe());
  }

  /// The scenario with every number in place.
  ///
  /// @throws IllegalArgumentException if it cannot run, for example because the model does not fit
  public ResolvedScenario resolve() {
    return scenario().resolve();
  }

  /// `platform / model / workload / policy`, for messages.
  public String title() {
    return String.join(" / ", platform.name(), model, workload.name(), row.name());
  }
}
