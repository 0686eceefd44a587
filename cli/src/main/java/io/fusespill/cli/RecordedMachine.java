package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Machine;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.profile.ModelProfiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The machine that models ran on, as their run's journal describes it: places with their blocks,
/// links, and how KV lies in blocks. How long steps take there only a fitted profile can tell.
///
/// @param described configuration that the run began with
/// @param recorded the same, as the engine has it
record RecordedMachine(Path run, ObjectNode described, EngineConfig recorded) {

  private static final String TIME_MODEL = "--time-model";

  /// Options of a what-if that say more of the machine, and so hold for the run as it was, too.
  static final List<String> MEASURED = List.of("--model", TIME_MODEL);

  /// Whether options name a machine themselves.
  static boolean isNamed(GivenOptions options) {
    return options.has(GivenOptions.DEVICE) || options.has(GivenOptions.TOPOLOGY);
  }

  /// The run's own configuration.
  ///
  /// @throws UsageException if the options do not tell step times, or those of another machine
  ResolvedScenario own(GivenOptions options, ObjectNode workload) {
    ResolvedScenario derived = derived(options, workload);
    ObjectNode description = described(derived);
    for (String key : List.of("limits", "policy", "predictor")) {
      description.set(key, described.get(key));
    }
    return scenario(derived, recorded, description);
  }

  /// What other options come to on it.
  ///
  /// @throws UsageException if they do not tell step times, those of another machine, or what is
  ///   not legal on this one
  ResolvedScenario alternative(GivenOptions options, ObjectNode workload) {
    ResolvedScenario derived = derived(options, workload);
    EngineConfig next = derived.config();
    try {
      EngineConfig config =
          new EngineConfig(
              recorded.kv(),
              next.limits(),
              recorded.topology(),
              next.policy(),
              costs(next),
              next.predictor());
      PolicyKind.create(config);
      return scenario(derived, config, described(derived));
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private static ResolvedScenario scenario(
      ResolvedScenario derived, EngineConfig config, ObjectNode description) {
    return new ResolvedScenario(
        config, derived.world(), derived.samples(), derived.seed(), description, derived.notes());
  }

  /// What the policy believed in the run; where that believed nothing, what the profile comes to.
  private List<StepCosts> costs(EngineConfig next) {
    if (next.costs().isEmpty() || !recorded.costs().isEmpty()) {
      return next.costs().isEmpty() ? List.of() : recorded.costs();
    }
    for (Place place : recorded.topology().places()) {
      if (place.attends()) {
        throw new UsageException(
            "%s attends in %s, whose policy %s did not measure what that costs: describe a machine with --device and the rest"
                .formatted(place.name(), run, recorded.policy().name()));
      }
    }
    return next.costs();
  }

  private ObjectNode described(ResolvedScenario derived) {
    ObjectNode description = derived.description().deepCopy();
    for (String key : List.of("kv", "places", "links")) {
      description.set(key, described.get(key));
    }
    return description;
  }

  private ResolvedScenario derived(GivenOptions options, ObjectNode workload) {
    for (String part : GivenOptions.MACHINE) {
      if (options.has(part)) {
        throw new UsageException(
            "%s is part of a machine, and that of %s stays as its journal has it: leave it away, or describe the whole machine with --device and the rest"
                .formatted(part, run));
      }
    }
    if (options.value(TIME_MODEL, ScenarioOptions.ROOFLINE).equals(ScenarioOptions.ROOFLINE)) {
      throw new UsageException(
          "no step times of the machine of %s: give the profile that 'calibrate %s' writes with --time-model, or another machine with --device"
              .formatted(run, run));
    }
    String model = options.value("--model", "");
    if (!ModelProfiles.has(model)) {
      throw new UsageException(
          "of its model the journal of %s tells no more than the name, %s: give the path of its config.json with --model"
              .formatted(run, model));
    }
    return options.parse().resolve(this::topology, workload);
  }

  /// The places of the run in their order. Blocks of hosts and disks are as many as there can be,
  /// because those that count are the run's own.
  private TopologySpec topology() {
    List<TopologySpec.Device> devices = new ArrayList<>();
    List<TopologySpec.Host> hosts = new ArrayList<>();
    List<TopologySpec.Disk> disks = new ArrayList<>();
    List<Place> places = recorded.topology().places();
    for (Place place : places) {
      switch (place.kind()) {
        case DEVICE -> devices.add(device(place));
        case HOST -> hosts.add(new TopologySpec.Host(place.name(), TopologySpec.GIB_MAX, null));
        case DISK -> disks.add(new TopologySpec.Disk(place.name(), TopologySpec.GIB_MAX));
      }
    }
    List<TopologySpec.Link> links = new ArrayList<>();
    for (Link link : recorded.topology().links()) {
      links.add(
          new TopologySpec.Link(
              places.get(link.from()).name(),
              places.get(link.to()).name(),
              link.bytesPerSecond(),
              link.copyNanos(),
              link.hasOwnChannel() ? "" : String.valueOf(link.channel())));
    }
    return new TopologySpec(devices, hosts, disks, links);
  }

  private TopologySpec.Device device(Place place) {
    String hardware =
        described.path("places").path(place.id()).path("hardware").asText(place.name());
    return new TopologySpec.Device(
        place.name(),
        new DeviceSpec(List.of(hardware), place.blocks(), DeviceSpec.DEFAULT_UTILISATION),
        Machine.DEFAULT_LINK);
  }
}
