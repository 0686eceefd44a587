package io.fusespill.engine.config;

import java.util.List;

/// All that the engine's behaviour depends on besides its inputs.
///
/// @param costs what a step of each place is believed to cost, one a place; empty where no policy
///   estimates
/// @param predictor name of the length predictor whose memory the state keeps
public record EngineConfig(
    KvLayout kv,
    EngineLimits limits,
    Topology topology,
    PolicySpec policy,
    List<StepCosts> costs,
    String predictor) {

  /// The predictor of a run whose policy asks for no prediction.
  public static final String NO_PREDICTOR = "none";

  public EngineConfig {
    costs = List.copyOf(costs);
    if (!costs.isEmpty() && costs.size() != topology.places().size()) {
      throw new IllegalArgumentException(
          "%d step costs for %d places: one a place, or none at all"
              .formatted(costs.size(), topology.places().size()));
    }
  }

  /// A configuration without estimates and prediction.
  public EngineConfig(KvLayout kv, EngineLimits limits, Topology topology, PolicySpec policy) {
    this(kv, limits, topology, policy, List.of(), NO_PREDICTOR);
  }
}
