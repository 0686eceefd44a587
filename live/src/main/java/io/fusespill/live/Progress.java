package io.fusespill.live;

import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.metrics.LatencyListener;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.journal.live.LiveEngine;
import io.fusespill.journal.live.RequestListener;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/// How far an interrupted run had come, seen while the engine reads its journal.
final class Progress {

  private final RunJournal recorded;
  private final LiveBatch batch;
  private final CompletableFuture<Void> read = new CompletableFuture<>();
  private final Endings endings = new Endings();
  private final RunMetrics metrics = new RunMetrics(endings);
  private volatile int arrived;
  private volatile long lastNanos;

  Progress(RunJournal recorded, LiveBatch batch) {
    this.recorded = recorded;
    this.batch = batch;
    metrics.accept(recorded.started());
  }

  /// The recorded events after the first, once.
  Iterator<EngineEvent> events() {
    Iterator<EngineEvent> events = recorded.events();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        boolean more = events.hasNext();
        if (!more) {
          read.complete(null);
        }
        return more;
      }

      @Override
      public EngineEvent next() {
        EngineEvent event = events.next();
        lastNanos = event.atNanos();
        metrics.accept(event);
        return event;
      }
    };
  }

  /// The listener of a recorded request.
  RequestListener listener(RequestArrived request) {
    arrived = request.request() + 1;
    return batch.recorded(request);
  }

  /// Waits until all events are read, or the engine has failed.
  void awaitRead(LiveEngine engine) {
    CompletableFuture.anyOf(read, engine.termination().exceptionally(failed -> null)).join();
  }

  int arrived() {
    return arrived;
  }

  /// Requests that had ended, one way or another. Known once all events are read.
  int ended() {
    return endings.requests.get();
  }

  /// What the run had come to. Known once all events are read.
  LiveRun.Served served() {
    return new LiveRun.Served(
        metrics.completed(),
        metrics.promptTokens() + metrics.outputTokens(),
        metrics.arrived() == 0 ? 0 : metrics.durationNanos());
  }

  /// Time of the last recorded event.
  long lastNanos() {
    return lastNanos;
  }

  /// Counts requests that end.
  private static final class Endings implements LatencyListener {

    private final AtomicInteger requests = new AtomicInteger();

    @Override
    public void timeToFirstToken(long nanos) {}

    @Override
    public void interToken(long nanos, int count) {}

    @Override
    public void timePerOutputToken(long nanos, boolean preempted) {}

    @Override
    public void ended(RequestOutcome outcome) {
      requests.incrementAndGet();
    }
  }
}
