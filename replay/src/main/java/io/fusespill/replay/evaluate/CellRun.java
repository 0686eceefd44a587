package io.fusespill.replay.evaluate;

import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.journal.DirectLog;
import io.fusespill.journal.Journal;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.evaluate.CellResult.Ran;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.TraceReader;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongConsumer;

/// One cell on the caller's thread, with a log that is digested and not kept.
final class CellRun {

  private CellRun() {}

  /// @param ended hears now and then how many requests have ended
  static Ran run(Cell cell, LongConsumer ended) {
    long startNanos = System.nanoTime();
    ResolvedScenario scenario = cell.resolve();
    Latencies latencies = new Latencies(outcome -> {});
    RunMetrics metrics = new RunMetrics(latencies);
    DirectLog log = new DirectLog(Journal.none(), (position, event) -> metrics.accept(event));
    Map<String, Object> figures;
    try (log;
        TraceReader requests = cell.workload().workload().open(cell.seed())) {
      if (!requests.hasNext()) {
        throw new IllegalArgumentException(
            "workload %s is empty".formatted(cell.workload().name()));
      }
      new Simulation(
              scenario.setup(), requests, log, (arrived, live, now) -> ended.accept(arrived - live))
          .run();
      figures = new LinkedHashMap<>(new RunReport(metrics, latencies).figures());
      figures.put("skipped_rows", requests.skipped());
    }
    figures.put("journal_events", log.events());
    figures.put("journal_digest", log.digest());
    figures.put("config_digest", scenario.digest());
    figures.put("extrapolated_steps", scenario.world().extrapolations());
    figures.put("wall_seconds", (System.nanoTime() - startNanos) / 1e9);
    return new Ran(cell, figures);
  }
}
