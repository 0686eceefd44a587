package io.fusespill.journal.live;

import io.fusespill.engine.plan.Ints;

/// Where an executor reports what has become of its steps and asynchronous transfers, each once.
/// Any thread may call, and never waits.
public interface Completions {

  /// @param ended sequences whose newest token ended them, in any order
  /// @param sampledTokens ids of the sampled tokens in entry order; empty where the executor has no
  ///   text
  void stepCompleted(int device, long step, Ints ended, Ints sampledTokens);

  void stepFailed(int device, long step, String cause);

  void transferCompleted(int transfer);

  void transferFailed(int transfer, String cause);
}
