package io.fusespill.host.exec;

/// What runs the steps of one place, in the order in which they come, and reports each to the
/// executor's [io.fusespill.engine.exec.Completions].
public interface Device extends AutoCloseable {

  /// Takes a step and returns at once. For the thread that dispatches.
  void submit(StepJob job);

  /// Ends, once what it is at is done. What is queued is left undone and unreported.
  @Override
  void close();
}
