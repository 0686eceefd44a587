package io.fusespill.engine.policy;

import io.fusespill.engine.state.EngineView;

/// Decides what runs next.
///
/// A policy is a deterministic function of the view: it keeps nothing between calls. Each decision
/// takes effect before the call that makes it returns, so the view is always up to date.
@FunctionalInterface
public interface SchedulingPolicy {

  /// What one round of scheduling came to.
  enum Round {
    /// The device has a step, or there is nothing for it to do.
    SETTLED,
    /// Something changed but no step was planned: ask again.
    AGAIN
  }

  /// Binds what has arrived to devices, or leaves it to all of them. Asked once at every instant at
  /// which an input came, before [#schedule] and whether a device is free or not.
  default void route(EngineView view, Decisions decisions) {}

  /// Plans the next step of `device`, whose queue of steps in flight is not full.
  Round schedule(EngineView view, int device, Decisions decisions);
}
