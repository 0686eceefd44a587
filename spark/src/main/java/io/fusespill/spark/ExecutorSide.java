package io.fusespill.spark;

import io.fusespill.sweep.ScenarioResult;
import io.fusespill.sweep.ScenarioResult.Finished;
import io.fusespill.sweep.ScenarioRun;
import io.fusespill.sweep.SweepException;
import io.fusespill.sweep.SweepRows;
import io.fusespill.sweep.SweepTask;
import io.fusespill.sweep.TraceCache;
import io.fusespill.tables.Table;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.jspecify.annotations.Nullable;

/// What an executor knows of a sweep, the same for all its tasks. Spark brings it to each executor
/// once, so that those on one executor share the traces that were read.
final class ExecutorSide implements Serializable {

  private static final long serialVersionUID = 1L;

  private final String rows;
  private final SharedFolder folder;
  private final CarriedFiles files;
  private transient @Nullable TraceCache traces;

  ExecutorSide(SweepRows rows, SharedFolder folder, CarriedFiles files) {
    this.rows = rows.toJson();
    this.folder = folder;
    this.files = files;
  }

  /// Runs a task, writes its row into the shared folder, and returns the result as JSON.
  ///
  /// @throws SweepException if this machine does not see the shared folder
  String run(String taskJson) {
    folder.requireVisible();
    SweepTask task = SweepTask.fromJson(files.localised(taskJson));
    ScenarioResult result = ScenarioRun.run(task, traces(), ended -> {});
    if (result instanceof Finished finished) {
      write(task, finished);
    }
    return result.toJson();
  }

  private void write(SweepTask task, Finished finished) {
    SweepRows made = SweepRows.fromJson(rows);
    Path unfinished = folder.unfinished(task.key(), TaskContext.get().taskAttemptId());
    new Table(made.schema(), List.of(made.row(task, finished))).writeParquet(unfinished, Map.of());
    folder.finish(unfinished, task.key());
  }

  private synchronized TraceCache traces() {
    TraceCache cache = traces;
    if (cache == null) {
      cache = new TraceCache();
      traces = cache;
    }
    return cache;
  }
}
