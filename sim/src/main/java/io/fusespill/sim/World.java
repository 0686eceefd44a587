package io.fusespill.sim;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.cost.StepTimeModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What the simulation treats as true: how long steps take and what goes wrong.
///
/// @param models the step-time model of each place, those without compute included but never asked
/// @param attention how long each place takes to attend for others; null where it does not
/// @param submitNanos time between the end of a step and the earliest start of one that was planned
///   in answer to it: telling the scheduler, deciding, journaling, launching
/// @param policies makes the policy for a configuration
public record World(
    List<StepTimeModel> models,
    List<@Nullable HostAttentionModel> attention,
    long submitNanos,
    Faults faults,
    Function<EngineConfig, SchedulingPolicy> policies) {

  public World {
    models = List.copyOf(models);
    attention = Collections.unmodifiableList(new ArrayList<>(attention));
    if (submitNanos < 0) {
      throw new IllegalArgumentException(
          "submitNanos is %d, must be at least 0".formatted(submitNanos));
    }
  }

  /// A world in which nobody attends for others and decisions take no time.
  public World(
      List<StepTimeModel> models,
      Faults faults,
      Function<EngineConfig, SchedulingPolicy> policies) {
    this(models, Collections.nCopies(models.size(), null), 0, faults, policies);
  }

  /// A world under the policy that the configuration names.
  public World(List<StepTimeModel> models, Faults faults) {
    this(models, faults, PolicyKind::create);
  }

  /// Steps so far whose time lies outside what its model was made from.
  public long extrapolations() {
    return models.stream().distinct().mapToLong(StepTimeModel::extrapolations).sum();
  }
}
