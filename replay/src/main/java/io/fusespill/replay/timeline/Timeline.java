package io.fusespill.replay.timeline;

import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.state.EngineState;
import io.fusespill.replay.explain.Stories;

/// Everything that takes time, as a fold over a log: steps, transfers, sequences, and the state
/// after each instant. Memory follows what is live.
public final class Timeline {

  private final TimelineListener listener;
  private final EngineState state = new EngineState();
  private final Stories stories;
  private final WorkSpans work;

  public Timeline(TimelineListener listener) {
    this.listener = listener;
    this.work = new WorkSpans(listener::step, listener::transfer);
    this.stories = Stories.ofAll(listener::lived);
  }

  /// Takes the next event of the log, which begins with `RunStarted`.
  public void accept(long position, EngineEvent event) {
    if (state.started() && event.atNanos() != state.nowNanos()) {
      listener.instant(state, state.waitingSequences());
    }
    if (event instanceof RunStarted run) {
      listener.started(run);
    }
    listener.event(position, event, state);
    work.accept(event);
    stories.accept(position, event);
    state.apply(event);
  }

  /// The log ends: what it leaves open ends with it.
  public void close() {
    if (!state.started()) {
      return;
    }
    listener.instant(state, state.waitingSequences());
    work.close(state.nowNanos());
    stories.close();
  }

  /// Time of the last event.
  public long nowNanos() {
    return state.started() ? state.nowNanos() : 0;
  }
}
