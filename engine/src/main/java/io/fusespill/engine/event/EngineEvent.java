package io.fusespill.engine.event;

/// A fact that can change the engine's state.
public sealed interface EngineEvent permits InputEvent, DecisionEvent {

  /// Time of the event in nanoseconds since the run's start; never decreases along the log.
  long atNanos();
}
