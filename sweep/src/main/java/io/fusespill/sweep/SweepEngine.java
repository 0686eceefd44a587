package io.fusespill.sweep;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Runs the scenarios of a sweep somewhere. Engines are found by `ServiceLoader`; the name of each
/// is what `--engine` takes.
public interface SweepEngine {

  /// What is to be run.
  ///
  /// @param tasks no two with one key
  /// @param workers scenarios at once on this machine, at least 1
  /// @param master where a cluster is, in the engine's own words; null where nobody said
  /// @param traces those of the tasks, read already, for what runs in this process
  /// @param directory of the sweep, which exists; an engine may make a folder of its own in it
  record Job(
      List<SweepTask> tasks,
      int workers,
      @Nullable String master,
      TraceCache traces,
      Path directory) {

    public Job {
      tasks = List.copyOf(tasks);
    }
  }

  /// Hears how a job goes; may be called by several threads at once.
  interface Listener {

    /// So many more requests have ended.
    void progress(long requests);

    /// A scenario has ended. Once this returns, the result outlives a crash; the same result again
    /// changes nothing.
    void result(ScenarioResult result);
  }

  String name();

  /// One line: where it runs scenarios.
  String description();

  /// Whether `--master` means something here.
  default boolean takesMaster() {
    return false;
  }

  /// Runs all tasks and tells their results, failed ones included, in any order; returns when every
  /// task has had one.
  ///
  /// @throws SweepException if the engine cannot be had, for example because nobody answers at
  ///   `master`
  void run(Job job, Listener listener);
}
