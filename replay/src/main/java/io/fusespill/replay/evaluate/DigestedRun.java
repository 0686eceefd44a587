package io.fusespill.replay.evaluate;

import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.journal.DirectLog;
import io.fusespill.journal.Journal;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.TraceReader;
import java.util.function.LongConsumer;

/// A simulation on the caller's thread whose log was digested and not kept.
///
/// @param events in the log
/// @param digest of the log, as the journal of such a run has it
/// @param extrapolatedSteps steps whose time lies outside what its model was made from
/// @param skippedRows of the trace
public record DigestedRun(
    RunReport report, long events, String digest, long extrapolatedSteps, long skippedRows) {

  /// Runs a scenario to its end.
  ///
  /// @param requests at least one; its owner closes it
  /// @param latencies gathers the run's, beside those of other runs that it may hold
  /// @param ended hears now and then how many requests have ended
  /// @throws IllegalArgumentException if there is no request
  public static DigestedRun of(
      ResolvedScenario scenario, TraceReader requests, Latencies latencies, LongConsumer ended) {
    if (!requests.hasNext()) {
      throw new IllegalArgumentException("the workload is empty: no request is left of it");
    }
    RunMetrics metrics = new RunMetrics(latencies);
    try (DirectLog log =
        new DirectLog(Journal.none(), (position, event) -> metrics.accept(event))) {
      new Simulation(
              scenario.setup(), requests, log, (arrived, live, now) -> ended.accept(arrived - live))
          .run();
      return new DigestedRun(
          new RunReport(metrics, latencies),
          log.events(),
          log.digest(),
          scenario.world().extrapolations(),
          requests.skipped());
    }
  }
}
