package io.fusespill.sweep;

import io.fusespill.replay.evaluate.LargestFirst;

/// Runs scenarios on threads of this process.
public final class LocalEngine implements SweepEngine {

  public static final String NAME = "local";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return "threads of this process, --workers of them";
  }

  @Override
  public void run(Job job, Listener listener) {
    LargestFirst.run(
        job.tasks(), SweepTask::requests, job.workers(), task -> run(task, job.traces(), listener));
  }

  private static void run(SweepTask task, TraceCache traces, Listener listener) {
    long[] told = {0};
    listener.result(
        ScenarioRun.run(
            task,
            traces,
            ended -> {
              listener.progress(ended - told[0]);
              told[0] = ended;
            }));
    listener.progress(task.requests() - told[0]);
  }
}
