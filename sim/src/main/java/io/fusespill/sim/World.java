package io.fusespill.sim;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.sim.cost.StepTimeModel;
import java.util.List;
import java.util.function.Function;

/// What the simulation treats as true: how long steps take and what goes wrong.
///
/// @param models the step-time model of each place, those without compute included but never asked
/// @param policies makes the policy for a configuration
public record World(
    List<StepTimeModel> models, Faults faults, Function<EngineConfig, SchedulingPolicy> policies) {

  public World {
    models = List.copyOf(models);
  }

  /// A world under the policy that the configuration names.
  public World(List<StepTimeModel> models, Faults faults) {
    this(models, faults, PolicyKind::create);
  }

  /// Steps so far whose time lies outside what its model was made from.
  public long extrapolations() {
    return models.stream().distinct().mapToLong(StepTimeModel::extrapolations).sum();
  }

  SchedulingPolicy policy(EngineConfig config) {
    return policies.apply(config);
  }
}
