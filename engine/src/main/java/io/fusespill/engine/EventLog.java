package io.fusespill.engine;

import io.fusespill.engine.event.EngineEvent;

/// Where the engine writes its events, in order, before it applies them.
@FunctionalInterface
public interface EventLog {

  /// Takes the next event and returns its position: 0 for the first, then without gaps. Called by
  /// one thread.
  ///
  /// @throws RuntimeException if the event cannot be kept; the engine must not go on
  long append(EngineEvent event);
}
