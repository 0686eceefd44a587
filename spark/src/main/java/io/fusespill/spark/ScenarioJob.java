package io.fusespill.spark;

import io.fusespill.sweep.ScenarioResult;
import io.fusespill.sweep.ScenarioResult.Failed;
import io.fusespill.sweep.SweepEngine.Listener;
import io.fusespill.sweep.SweepException;
import io.fusespill.sweep.SweepTask;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SimpleFutureAction;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import scala.collection.immutable.Range$;
import scala.concurrent.Await;
import scala.concurrent.duration.Duration;
import scala.runtime.BoxedUnit;

/// Tasks of a sweep as a Spark job, each in a partition of its own and in the order in which they
/// are to start. A scenario that costs its executor the life four times is given up, and another
/// job goes on with the rest.
final class ScenarioJob {

  private static final int EXECUTORS_SECONDS = 120;
  private static final String KEPT =
      "what has finished is kept, and the same command goes on with the rest";

  /// How Spark says why it gave a job up: the task's index, how often it failed, where, and why.
  private static final Pattern ABORTED =
      Pattern.compile(
          "Task (\\d+) in stage \\S+ failed (\\d+) times?, most recent failure: "
              + "Lost task \\S+ in stage \\S+ \\(TID \\d+\\) \\((\\S+) executor \\S+\\): (.*)");

  private static final String EXECUTOR_LOST = "ExecutorLostFailure";

  private final SparkConnection connection;
  private final SparkContext context;
  private final Broadcast<ExecutorSide> side;
  private final Listener listener;

  /// Tasks without a result, by key.
  private final Map<String, SweepTask> open = new LinkedHashMap<>();

  ScenarioJob(SparkConnection connection, ExecutorSide side, Listener listener) {
    this.connection = connection;
    this.context = connection.context();
    this.side = new JavaSparkContext(context).broadcast(side);
    this.listener = listener;
  }

  /// Runs them until each has had a result.
  ///
  /// @throws SweepException if there is no executor, or one cannot do its work
  void run(List<SweepTask> tasks) {
    tasks.forEach(task -> open.put(task.key(), task));
    while (!open.isEmpty()) {
      List<SweepTask> started = new ArrayList<>(open.values());
      SimpleFutureAction<BoxedUnit> job = submit(started);
      await(job);
      if (job.value().get().isFailure()) {
        giveUpOne(started, job.value().get().failed().get());
      }
    }
  }

  private SimpleFutureAction<BoxedUnit> submit(List<SweepTask> tasks) {
    RDD<String> partitions =
        new JavaSparkContext(context)
            .parallelize(tasks.stream().map(SweepTask::toJson).toList(), tasks.size())
            .rdd();
    return context.submitJob(
        partitions,
        new ScenarioTask(side),
        Range$.MODULE$.apply(0, tasks.size()),
        (index, json) -> {
          end(ScenarioResult.fromJson(json));
          return BoxedUnit.UNIT;
        },
        () -> BoxedUnit.UNIT);
  }

  /// Called by Spark's scheduler, one result after the other.
  private void end(ScenarioResult result) {
    listener.result(result);
    SweepTask task = open.remove(result.key());
    if (task != null) {
      listener.progress(task.requests());
    }
  }

  private void await(SimpleFutureAction<?> job) {
    int waited = 0;
    while (!job.isCompleted()) {
      try {
        Await.ready(job, Duration.create(1, TimeUnit.SECONDS));
      } catch (TimeoutException e) {
        waited = connection.hasExecutors() ? 0 : waited + 1;
        if (waited >= EXECUTORS_SECONDS) {
          job.cancel();
          throw new SweepException(
              "no executor of %s for %d s; does it have a worker with a free core and %s of free memory (spark.executor.memory)? %s"
                  .formatted(
                      connection.master().text(),
                      EXECUTORS_SECONDS,
                      context.conf().get("spark.executor.memory", "1g"),
                      KEPT),
              e);
        }
      } catch (InterruptedException e) {
        job.cancel();
        Thread.currentThread().interrupt();
        throw new SweepException("interrupted; " + KEPT, e);
      }
    }
  }

  private void giveUpOne(List<SweepTask> started, Throwable failure) {
    String message = String.valueOf(failure.getMessage());
    Matcher aborted = ABORTED.matcher(message);
    if (!aborted.find()) {
      throw new SweepException(
          "Spark has ended the sweep (%s); %s".formatted(firstLine(message), KEPT), failure);
    }
    String reason = aborted.group(4).replace(SweepException.class.getName() + ": ", "");
    if (!reason.startsWith(EXECUTOR_LOST)) {
      // Not the scenario's: what goes wrong in one is a result.
      throw new SweepException(
          "the executor on %s cannot work: %s; %s".formatted(aborted.group(3), reason, KEPT),
          failure);
    }
    SweepTask task = started.get(Integer.parseInt(aborted.group(1)));
    end(
        new Failed(
            task.key(),
            "its executor ended %s times, the last one on %s: %s"
                .formatted(aborted.group(2), aborted.group(3), reason)));
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }
}
