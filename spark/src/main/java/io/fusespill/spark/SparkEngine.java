package io.fusespill.spark;

import io.fusespill.sweep.SweepEngine;
import io.fusespill.sweep.SweepException;
import io.fusespill.sweep.SweepTask;
import java.util.Comparator;
import java.util.List;

/// Runs scenarios on the executors of Apache Spark, each of which writes the rows of its own.
///
/// Every scenario is a Spark task, those with the most requests first. Spark gives a core that is
/// free the next one in this order: none that takes long is left for the end, estimates need not be
/// right, and whoever loses an executor loses no more than what it was at. A task costs Spark
/// milliseconds, a scenario takes longer.
public final class SparkEngine implements SweepEngine {

  @Override
  public String name() {
    return "spark";
  }

  @Override
  public String description() {
    return "executors of Apache Spark, in this process or on a cluster: --master says where";
  }

  @Override
  public boolean takesMaster() {
    return true;
  }

  @Override
  public void run(Job job, Listener listener) {
    if (job.master() == null) {
      throw new SweepException("--engine spark needs --master, which " + MasterUrl.LEGAL);
    }
    MasterUrl master = MasterUrl.parse(job.master());
    List<SweepTask> tasks =
        job.tasks().stream()
            .sorted(Comparator.comparingLong(SweepTask::requests).reversed())
            .toList();
    if (tasks.isEmpty()) {
      return;
    }
    try (SparkConnection connection = SparkConnection.open(master);
        SharedFolder folder = SharedFolder.in(job.directory())) {
      CarriedFiles files =
          master.isLocal() ? CarriedFiles.none() : CarriedFiles.send(tasks, connection.context());
      new ScenarioJob(connection, new ExecutorSide(job.rows(), folder, files), listener).run(tasks);
    }
  }
}
