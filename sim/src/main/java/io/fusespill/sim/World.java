package io.fusespill.sim;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.cost.LinkModel;
import io.fusespill.sim.cost.StepTimeModel;
import io.fusespill.sim.cost.SubmitLatency;
import io.fusespill.sim.cost.TransferTimeModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What the simulation treats as true: how long steps take and what goes wrong.
///
/// @param models the step-time model of each place, those without compute included but never asked
/// @param attention how long each place takes to attend for others; null where it does not
/// @param transfers how long transfers take from one place to another; a link of the topology that
///   is not among them takes what its bandwidth comes to
/// @param submitLatency time between the end of a step and the earliest start of one that was
///   planned in answer to it
/// @param policies makes the policy for a configuration
public record World(
    List<StepTimeModel> models,
    List<@Nullable HostAttentionModel> attention,
    List<FittedLink> transfers,
    SubmitLatency submitLatency,
    Faults faults,
    Function<EngineConfig, SchedulingPolicy> policies) {

  public World {
    models = List.copyOf(models);
    attention = Collections.unmodifiableList(new ArrayList<>(attention));
    transfers = List.copyOf(transfers);
  }

  /// A world in which transfers take what their links' bandwidths come to.
  public World(
      List<StepTimeModel> models,
      List<@Nullable HostAttentionModel> attention,
      SubmitLatency submitLatency,
      Faults faults,
      Function<EngineConfig, SchedulingPolicy> policies) {
    this(models, attention, List.of(), submitLatency, faults, policies);
  }

  /// A world in which nobody attends for others and decisions take no time.
  public World(
      List<StepTimeModel> models,
      Faults faults,
      Function<EngineConfig, SchedulingPolicy> policies) {
    this(models, Collections.nCopies(models.size(), null), SubmitLatency.NONE, faults, policies);
  }

  /// A world under the policy that the configuration names.
  public World(List<StepTimeModel> models, Faults faults) {
    this(models, faults, PolicyKind::create);
  }

  /// How long transfers take over each link of the topology.
  List<TransferTimeModel> transferModels(Topology topology) {
    List<TransferTimeModel> all = new ArrayList<>();
    for (Link link : topology.links()) {
      String from = topology.places().get(link.from()).name();
      String to = topology.places().get(link.to()).name();
      all.add(
          transfers.stream()
              .filter(each -> each.from().equals(from) && each.to().equals(to))
              .<TransferTimeModel>map(each -> each)
              .findFirst()
              .orElseGet(() -> new LinkModel(link.bytesPerSecond(), link.copyNanos())));
    }
    return all;
  }

  /// Steps so far whose time lies outside what its model was made from.
  public long extrapolations() {
    return models.stream().distinct().mapToLong(StepTimeModel::extrapolations).sum();
  }
}
