package io.fusespill.journal;

import io.fusespill.engine.event.EngineEvent;
import org.jspecify.annotations.Nullable;

/// One place in the ring. The event's position is the ring's own number of the slot.
final class Slot {
  @Nullable EngineEvent event;
}
