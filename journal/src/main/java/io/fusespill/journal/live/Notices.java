package io.fusespill.journal.live;

import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Request;
import io.fusespill.engine.state.Sequence;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// News for the listeners of requests, behind the journal. Used by the thread that dispatches, but
/// for [#expect].
final class Notices {

  /// Hears which tokens a step sampled.
  @FunctionalInterface
  interface TokenListener {
    void sampled(int request, int sequence, int token);
  }

  private final Map<Integer, RequestListener> listeners = new HashMap<>();
  private final Queue<RequestListener> arriving = new ConcurrentLinkedQueue<>();

  /// Says whose request arrives after those expected already.
  void expect(RequestListener listener) {
    arriving.add(listener);
  }

  /// Delivers the news of an event that is in the journal.
  ///
  /// @param before the state that the event is about to be applied to
  void deliver(EngineEvent event, EngineState before) {
    switch (event) {
      case RequestArrived arrived -> {
        RequestListener listener = arriving.remove();
        listeners.put(arrived.request(), listener);
        listener.arrived(arrived.request(), arrived.firstSequence());
      }
      case StepCompleted completed ->
          sampled(
              completed,
              before,
              (request, sequence, token) -> listener(request, false).sampled(sequence, token));
      case SequenceFinished finished -> {
        Request request = Objects.requireNonNull(before.sequence(finished.sequence())).request();
        boolean last = request.liveSequences() == 1;
        listener(request.id(), last).finished(finished.sequence(), finished.reason(), last);
      }
      case RequestRejected rejected ->
          listener(rejected.request(), true)
              .rejected(rejected.reason(), rejected.needed(), rejected.available());
      default -> {}
    }
  }

  private RequestListener listener(int request, boolean last) {
    return Objects.requireNonNull(last ? listeners.remove(request) : listeners.get(request));
  }

  /// Tells whose tokens a step has sampled, in entry order; nothing where the executor has no text.
  ///
  /// @param before the state that the event is about to be applied to
  static void sampled(StepCompleted completed, EngineState before, TokenListener listener) {
    if (completed.sampledTokens().isEmpty()) {
      return;
    }
    int device = completed.device();
    StepPlan plan = before.stepInFlight(device, 0);
    int token = 0;
    for (int i = 0; i < plan.size(); i++) {
      if (before.samples(device, 0, i)) {
        Sequence sequence = Objects.requireNonNull(before.sequence(plan.sequences().get(i)));
        for (int s = 0; s <= sequence.unforked(); s++, token++) {
          if (before.counts(device, i)) {
            listener.sampled(
                sequence.request().id(), sequence.id() + s, completed.sampledTokens().get(token));
          }
        }
      }
    }
  }
}
