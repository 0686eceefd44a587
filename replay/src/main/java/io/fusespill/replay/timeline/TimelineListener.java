package io.fusespill.replay.timeline;

import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.state.EngineView;
import io.fusespill.replay.explain.Story;

/// Hears what took time in a run, each thing when it ends. Spans of one device come in order and do
/// not overlap, and those of one channel neither.
public interface TimelineListener {

  default void started(RunStarted run) {}

  default void step(StepSpan step) {}

  default void transfer(TransferSpan transfer) {}

  /// A sequence has ended, or the log.
  default void lived(Story story) {}

  /// An event is about to change the state, which is `before`.
  default void event(long position, EngineEvent event, EngineView before) {}

  /// All events of the state's time have been applied.
  ///
  /// @param waiting sequences that wait, for any device or for a certain one
  default void instant(EngineView state, int waiting) {}
}
