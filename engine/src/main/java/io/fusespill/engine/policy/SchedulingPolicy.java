package io.fusespill.engine.policy;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;

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

  /// Whether it can go on with a sequence that another policy left where it is, running or swapped.
  /// One that it cannot is preempted by recompute when it takes over. Of a sequence that it left
  /// there itself it says yes.
  default boolean keeps(EngineView view, Sequence sequence) {
    return true;
  }

  /// Whether KV may come to lie in a place of the topology while no request has more samples than
  /// that; yes for every device.
  default boolean uses(Place place, int samples) {
    return true;
  }

  /// Plans the next step of `device`, whose queue of steps in flight is not full.
  Round schedule(EngineView view, int device, Decisions decisions);
}
