package io.fusespill.engine.exec;

import io.fusespill.engine.plan.Ints;

/// Where an executor reports what has become of its steps and asynchronous transfers, each once.
/// Any thread may call, and never waits.
public interface Completions {

  /// @param ended sequences whose newest token ended them, in any order
  /// @param sampledTokens ids of the sampled tokens in entry order, an entry that brings samples to
  ///   life having one for each, -1 where an entry was not computed because the step ran ahead, or
  ///   failed; empty where the executor has no text
  /// @param busyNanos how long the device was at work on the step, copies in front of it aside; 0
  ///   where that is not known
  void stepCompleted(int device, long step, Ints ended, Ints sampledTokens, long busyNanos);

  /// A step can sample no token for one of its sequences, be it that it brings others to life.
  /// Before the step's completion, which has -1 there.
  void sequenceFailed(int device, long step, int sequence, String cause);

  void stepFailed(int device, long step, String cause);

  void transferCompleted(int transfer);

  void transferFailed(int transfer, String cause);

  /// The place is gone with all that lay there. Its steps and what is on its way there need no
  /// report of their own, and one that comes still is not heard; copies out of it are reported.
  /// None of its steps may write to another place after this: what it attended for there is given
  /// to others at once.
  void placeFailed(int place, String cause);
}
