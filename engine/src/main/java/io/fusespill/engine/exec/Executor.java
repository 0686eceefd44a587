package io.fusespill.engine.exec;

import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;

/// The seam behind which a device is real or simulated.
///
/// Answers come back later as inputs: `StepCompleted` or `StepFailed` for each step,
/// `TransferCompleted` or `TransferFailed` for each asynchronous transfer. All methods are called
/// by the one thread that dispatches, in log order, and return at once.
public interface Executor {

  /// A request's sequences may be computed from now on. Does nothing by default, as befits an
  /// executor without text.
  default void arrived(RequestArrived request) {}

  /// A waiting sequence starts to run, for the first time or again after it was preempted: what it
  /// had is what the state says. Does nothing by default.
  default void admitted(int sequence) {}

  /// A run goes on from its journal: the sequence's next output token is this one, sampled before.
  /// Does nothing by default, as befits an executor without text.
  default void known(int sequence, int token) {}

  /// Runs the copies of `before` in order, then the pass, on `plan.device()`.
  void execute(StepPlan plan, List<TransferPlan> before);

  /// Starts an asynchronous transfer.
  void transfer(TransferPlan plan);

  /// A sequence has ended: what is kept for it may go.
  void release(int sequence);
}
