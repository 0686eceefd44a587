package io.fusespill.journal.live;

import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Request;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/// News for the listeners of requests: prepared on the engine's thread, which knows the state, and
/// delivered behind the journal. Each event that is news to somebody has one notice, in log order.
final class Notices {

  private final Map<Integer, RequestListener> listeners = new HashMap<>();
  private final Queue<Runnable> prepared = new ConcurrentLinkedQueue<>();
  private @Nullable RequestListener arriving;

  /// Says whose request arrives next.
  void expect(RequestListener listener) {
    arriving = listener;
  }

  /// Prepares the news of an event that is about to be logged and applied to the state of `view`.
  void prepare(EngineEvent event, EngineView view) {
    switch (event) {
      case RequestArrived arrived -> {
        RequestListener listener = Objects.requireNonNull(arriving);
        listeners.put(arrived.request(), listener);
        prepared.add(() -> listener.arrived(arrived.request(), arrived.firstSequence()));
      }
      case SequenceFinished finished -> {
        Request request = Objects.requireNonNull(view.sequence(finished.sequence())).request();
        boolean last = request.liveSequences() == 1;
        RequestListener listener = listener(request.id(), last);
        prepared.add(() -> listener.finished(finished.sequence(), finished.reason(), last));
      }
      case RequestRejected rejected -> {
        RequestListener listener = listener(rejected.request(), true);
        prepared.add(
            () -> listener.rejected(rejected.reason(), rejected.needed(), rejected.available()));
      }
      case InputEvent input -> {}
      case DecisionEvent decision -> {}
    }
  }

  private RequestListener listener(int request, boolean last) {
    return Objects.requireNonNull(last ? listeners.remove(request) : listeners.get(request));
  }

  /// Delivers the news of an event that is in the journal.
  void deliver(EngineEvent event) {
    switch (event) {
      case RequestArrived arrived -> prepared.remove().run();
      case SequenceFinished finished -> prepared.remove().run();
      case RequestRejected rejected -> prepared.remove().run();
      case InputEvent input -> {}
      case DecisionEvent decision -> {}
    }
  }
}
