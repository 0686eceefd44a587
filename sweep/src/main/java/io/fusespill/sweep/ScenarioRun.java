package io.fusespill.sweep;

import io.fusespill.replay.Latencies;
import io.fusespill.replay.evaluate.DigestedRun;
import io.fusespill.replay.evaluate.Evaluation;
import io.fusespill.sweep.ScenarioResult.Failed;
import io.fusespill.sweep.ScenarioResult.Finished;
import io.fusespill.traces.TraceReader;
import java.util.function.LongConsumer;

/// One scenario on the caller's thread, from task to result. The same task gives the same figures
/// on every machine.
public final class ScenarioRun {

  private ScenarioRun() {}

  /// Runs it; what goes wrong is a result too.
  ///
  /// @param ended hears now and then how many of its requests have ended
  public static ScenarioResult run(SweepTask task, TraceCache traces, LongConsumer ended) {
    long startNanos = System.nanoTime();
    SweepScenario scenario = task.scenario();
    try (TraceReader requests = traces.open(scenario.requests(), scenario.seed())) {
      RequestTally tally = new RequestTally(scenario.slo());
      DigestedRun run =
          DigestedRun.of(scenario.scenario().resolve(), requests, new Latencies(tally), ended);
      return new Finished(
          task.key(),
          SweepFigures.of(run, scenario.slo(), tally),
          (System.nanoTime() - startNanos) / 1e9);
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) {
      return new Failed(task.key(), Evaluation.message(e));
    }
  }
}
