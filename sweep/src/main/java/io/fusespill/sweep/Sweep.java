package io.fusespill.sweep;

import io.fusespill.sweep.ScenarioResult.Failed;
import io.fusespill.sweep.ScenarioResult.Finished;
import io.fusespill.tables.Column;
import io.fusespill.tables.Schema;
import io.fusespill.tables.TableFormat;
import io.fusespill.tables.TableWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// One run of a sweep in its folder: what is not finished yet is run, then the tables are written.
///
/// Killed at any moment and run again, it comes to the same tables, byte for byte.
public final class Sweep {

  /// How and where to run.
  ///
  /// @param engine what runs the scenarios
  /// @param workers scenarios at once on this machine, at least 1
  /// @param master where a cluster is; null where nobody said
  public record Options(SweepEngine engine, int workers, @Nullable String master, boolean force) {}

  /// A scenario that failed, and why.
  public record Failure(SweepTask task, String message) {}

  /// What came of it.
  ///
  /// @param kept scenarios that were finished before
  /// @param ran scenarios that were run now, failed ones included
  /// @param scenarioSeconds that these took, summed
  /// @param failures by row of the table
  public record Outcome(
      int rows, int kept, int ran, double scenarioSeconds, List<Failure> failures) {}

  private static final Schema FAILURES =
      Schema.of(
          Column.whole("scenario", "", "place in the sweep, from 0"),
          Column.text("scenario_key", "what the scenario is, as a hash"),
          Column.text("platform", "as the specification calls it"),
          Column.text("model", "model profile"),
          Column.text("workload", "as the specification calls it"),
          SweepRows.RATE,
          SweepRows.RATE_SCALE,
          Column.text("policy", "as the specification calls the row"),
          Column.whole("seed", "", "of whatever is drawn"),
          Column.text("message", "why it failed"));

  private final SweepPlan plan;
  private final TraceCache traces;
  private final Path directory;

  /// @param traces those that the plan was made with
  public Sweep(SweepPlan plan, TraceCache traces, Path directory) {
    this.plan = plan;
    this.traces = traces;
    this.directory = directory;
  }

  /// Runs it.
  ///
  /// @param notes hears what was found damaged in the folder
  /// @param start hears, before anything runs, how many requests are ahead
  /// @param progress hears of requests that have ended; called by several threads
  /// @throws SweepException if the folder holds something else or is in use
  public Outcome run(
      Options options, Consumer<String> notes, LongConsumer start, LongConsumer progress) {
    SweepDirectory.claim(directory, plan, options.force());
    try (ResultStore store = new ResultStore(directory, notes)) {
      Map<String, Finished> before = store.finished();
      List<SweepTask> pending =
          plan.distinct().stream().filter(task -> !before.containsKey(task.key())).toList();
      start.accept(pending.stream().mapToLong(SweepTask::requests).sum());
      Map<String, String> failed = new ConcurrentHashMap<>();
      if (!pending.isEmpty()) {
        options
            .engine()
            .run(
                new SweepEngine.Job(
                    pending,
                    options.workers(),
                    options.master(),
                    traces,
                    directory,
                    SweepRows.of(plan.spec())),
                listener(store, failed, progress));
      }
      Map<String, Finished> finished = store.finished();
      List<Failure> failures = failures(finished, failed);
      writeResults(finished);
      writeFailures(failures);
      double seconds =
          pending.stream()
              .map(task -> finished.get(task.key()))
              .filter(Objects::nonNull)
              .mapToDouble(Finished::wallSeconds)
              .sum();
      return new Outcome(
          plan.tasks().size() - failures.size(),
          plan.distinct().size() - pending.size(),
          pending.size(),
          seconds,
          failures);
    }
  }

  private static SweepEngine.Listener listener(
      ResultStore store, Map<String, String> failed, LongConsumer progress) {
    return new SweepEngine.Listener() {
      @Override
      public void progress(long requests) {
        progress.accept(requests);
      }

      @Override
      public void result(ScenarioResult result) {
        switch (result) {
          case Finished finished -> store.add(finished);
          case Failed failure -> failed.put(failure.key(), failure.message());
        }
      }
    };
  }

  private List<Failure> failures(Map<String, Finished> finished, Map<String, String> failed) {
    List<Failure> failures = new ArrayList<>();
    for (SweepTask task : plan.tasks()) {
      if (!finished.containsKey(task.key())) {
        failures.add(
            new Failure(task, failed.getOrDefault(task.key(), "the engine told no result")));
      }
    }
    return failures;
  }

  private void writeResults(Map<String, Finished> finished) {
    SweepRows rows = SweepRows.of(plan.spec());
    Map<String, String> metadata = rows.metadata(plan.spec().name());
    try (TableWriter csv = create(TableFormat.CSV, SweepDirectory.RESULTS_CSV, rows, metadata);
        TableWriter parquet =
            create(TableFormat.PARQUET, SweepDirectory.RESULTS_PARQUET, rows, metadata)) {
      for (SweepTask task : plan.tasks()) {
        Finished result = finished.get(task.key());
        if (result != null) {
          csv.write(rows.row(task, result));
          parquet.write(rows.row(task, result));
        }
      }
      csv.finish();
      parquet.finish();
    }
  }

  private TableWriter create(
      TableFormat format, String name, SweepRows rows, Map<String, String> metadata) {
    return format.create(directory.resolve(name), rows.schema(), metadata);
  }

  private void writeFailures(List<Failure> failures) {
    try (TableWriter writer =
        TableFormat.CSV.create(
            directory.resolve(SweepDirectory.FAILURES_CSV), FAILURES, Map.of())) {
      for (Failure failure : failures) {
        SweepScenario scenario = failure.task().scenario();
        List<@Nullable Object> row = new ArrayList<>();
        row.add((long) failure.task().index());
        row.add(failure.task().key());
        row.add(scenario.platform());
        row.add(scenario.model());
        row.add(scenario.workload());
        row.add(scenario.rate());
        row.add(scenario.rateScale());
        row.add(scenario.policy());
        row.add(scenario.seed());
        row.add(failure.message());
        writer.write(row);
      }
      writer.finish();
    }
  }
}
