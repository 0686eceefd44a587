package io.fusespill.journal;

import io.fusespill.engine.event.EngineEvent;

/// Takes the events of a log in order, each once. Called by one thread.
@FunctionalInterface
public interface EventConsumer {

  /// @throws RuntimeException if it cannot go on; the log stops then, and with it the engine
  void accept(long position, EngineEvent event);
}
