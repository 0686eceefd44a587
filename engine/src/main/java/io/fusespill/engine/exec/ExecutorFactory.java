package io.fusespill.engine.exec;

import io.fusespill.engine.state.EngineView;

/// Makes the executor of a live run.
@FunctionalInterface
public interface ExecutorFactory {

  /// @param completions where the executor reports
  /// @param behind the state behind the journal: what all events up to the one that the executor is
  ///   being told of lead to. It is for the thread that calls the executor alone.
  Executor create(Completions completions, EngineView behind);
}
