package io.fusespill.sweep;

import io.fusespill.replay.evaluate.Cell;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.workload.GeneratedWorkload;
import io.fusespill.sim.workload.TraceWorkload;
import io.fusespill.sim.workload.Workload;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One point of a sweep, as plain data that another process can run: names of bundled profiles and
/// absolute paths of files, and every number that the specification gave.
///
/// @param platform the specification's name for it; like `workload` and `policy` a label that no
///   figure depends on
/// @param scenario what is simulated
/// @param requests what arrives
public record SweepScenario(
    String platform,
    String model,
    String workload,
    String policy,
    Scenario scenario,
    Workload requests,
    Slo slo) {

  static SweepScenario of(Cell cell, Slo slo) {
    Scenario scenario = cell.scenario();
    Workload requests = cell.workload().workload();
    return new SweepScenario(
        cell.platform().name(),
        cell.model(),
        cell.workload().name(),
        cell.row().name(),
        new Scenario(
            located(scenario.model()),
            located(scenario.topology()),
            scenario.policy(),
            scenario.limits(),
            scenario.serving(),
            scenario.timeModel(),
            scenario.faults(),
            scenario.samples(),
            scenario.seed(),
            scenario.workload()),
        requests instanceof TraceWorkload trace
            ? trace.at(trace.file().toAbsolutePath())
            : requests,
        slo);
  }

  private static TopologySpec located(TopologySpec topology) {
    return new TopologySpec(
        topology.devices().stream().map(SweepScenario::located).toList(),
        topology.hosts(),
        topology.disks(),
        topology.links());
  }

  private static TopologySpec.Device located(TopologySpec.Device device) {
    DeviceSpec spec = device.spec();
    List<String> cards = spec.cards().stream().map(SweepScenario::located).toList();
    return new TopologySpec.Device(
        device.name(),
        new DeviceSpec(cards, spec.blocks(), spec.utilisation()),
        located(device.cardLink()));
  }

  /// A profile's name as it is, its path from the root.
  private static String located(String profile) {
    return profile.endsWith(".json") ? Path.of(profile).toAbsolutePath().toString() : profile;
  }

  public long seed() {
    return scenario.seed();
  }

  /// Requests a second that arrivals are drawn with; null for a trace's own, and for all at once.
  public @Nullable Double rate() {
    return rate(requests);
  }

  static @Nullable Double rate(Workload workload) {
    return switch (workload) {
      case TraceWorkload trace ->
          trace.rate() == null || trace.rate().equals("inf") ? null : Double.valueOf(trace.rate());
      case GeneratedWorkload generated -> generated.rate();
    };
  }

  /// Factor on the rate of a trace's own arrivals; null where there is none.
  public @Nullable Double rateScale() {
    return requests instanceof TraceWorkload trace ? trace.rateScale() : null;
  }

  /// `platform / model / workload / policy (seed N)`, for messages.
  public String title() {
    Double rate = rate();
    Double scale = rateScale();
    String at =
        rate != null
            ? " at %s a second".formatted(rate)
            : scale != null ? " at %s times its rate".formatted(scale) : "";
    return "%s / %s / %s%s / %s (seed %d)".formatted(platform, model, workload, at, policy, seed());
  }
}
