package io.fusespill.engine.policy;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;

/// How requests find their device where there are several.
enum Routing {
  /// Devices take from one queue, each when it has room.
  SHARED,
  /// Each request is bound on arrival to the device with the fewest tokens bound to it, the first
  /// of equals: independent replicas behind a router.
  LEAST_LOADED;

  static final PolicyOption OPTION =
      new PolicyOption(
          "routing",
          "shared or least-loaded",
          "shared",
          "several devices take from one queue, or each request is bound to one on arrival");

  /// Binds what waits and is not bound yet.
  void route(EngineView view, Decisions decisions) {
    if (this == SHARED) {
      return;
    }
    int device;
    while (!view.waiting().isEmpty() && (device = leastLoaded(view)) >= 0) {
      decisions.route(view.waiting().get(0), device);
    }
  }

  /// -1 where every device has failed.
  private static int leastLoaded(EngineView view) {
    int least = -1;
    for (Place place : view.config().topology().places()) {
      if (place.computes()
          && !view.failed(place.id())
          && (least < 0 || view.boundTokens(place.id()) < view.boundTokens(least))) {
        least = place.id();
      }
    }
    return least;
  }

  /// Those that `device` may admit.
  SequenceQueue waiting(EngineView view, int device) {
    return this == SHARED ? view.waiting() : view.waiting(device);
  }

  /// Whether `device` may bring the sequence back from a host.
  boolean mayTake(Sequence sequence, int device) {
    return this == SHARED || sequence.home() == device;
  }
}
