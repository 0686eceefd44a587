package io.fusespill.replay.calibrate;

import io.fusespill.engine.EventLog;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Simulation;
import io.fusespill.sim.World;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.SubmitLatency;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// A run's requests once more, under the run's own engine configuration, in a world whose times are
/// those of a profile: what policies believe is as it was, what is true is what was fitted.
///
/// @param report the simulated run
/// @param steps steps of the simulated run
/// @param extrapolatedSteps those of them outside what the profile was measured on
/// @param outside the same by feature
public record Resimulation(
    RunReport report, long steps, long extrapolatedSteps, Map<StepFeature, Long> outside) {

  /// Plays the run.
  ///
  /// @param start the run's first event
  /// @param models one a place of the run's topology
  /// @param arrivals in order of time
  public static Resimulation of(
      RunStarted start,
      List<FittedModel> models,
      List<FittedLink> links,
      SubmitLatency submitLatency,
      List<Arrival> arrivals,
      Simulation.Progress progress) {
    Latencies latencies = new Latencies(outcome -> {});
    RunMetrics metrics = new RunMetrics(latencies);
    World world =
        new World(
            List.copyOf(models),
            Collections.nCopies(models.size(), null),
            links,
            submitLatency,
            Faults.NONE,
            PolicyKind::create);
    long[] position = {0};
    EventLog log =
        event -> {
          metrics.accept(event);
          return position[0]++;
        };
    Simulation.ofArrivals(new Simulation.Setup(start, world, 1), arrivals.iterator(), log, progress)
        .run();
    Map<StepFeature, Long> outside = new EnumMap<>(StepFeature.class);
    for (FittedModel model : models.stream().distinct().toList()) {
      model.outside().forEach((feature, times) -> outside.merge(feature, times, Long::sum));
    }
    long steps = 0;
    for (int place = 0; place < metrics.places(); place++) {
      steps += metrics.steps(place);
    }
    return new Resimulation(
        new RunReport(metrics, latencies),
        steps,
        world.extrapolations(),
        Collections.unmodifiableMap(outside));
  }
}
