package io.fusespill.replay.evaluate;

import io.fusespill.replay.Latencies;
import io.fusespill.replay.evaluate.CellResult.Ran;
import io.fusespill.sim.ResolvedScenario;
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
    DigestedRun run;
    try (TraceReader requests = cell.workload().workload().open(cell.seed())) {
      run = DigestedRun.of(scenario, requests, new Latencies(outcome -> {}), ended);
    }
    Map<String, Object> figures = new LinkedHashMap<>(run.report().figures());
    figures.put("skipped_rows", run.skippedRows());
    figures.put("journal_events", run.events());
    figures.put("journal_digest", run.digest());
    figures.put("config_digest", scenario.digest());
    figures.put("extrapolated_steps", run.extrapolatedSteps());
    figures.put("wall_seconds", (System.nanoTime() - startNanos) / 1e9);
    return new Ran(cell, figures);
  }
}
