package io.fusespill.journal.live;

import io.fusespill.engine.Engine;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.exec.Dispatcher;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Request;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.EngineStoppedException;
import io.fusespill.journal.live.Inbox.Cancellation;
import io.fusespill.journal.live.Inbox.Input;
import io.fusespill.journal.live.Inbox.Report;
import io.fusespill.journal.live.Inbox.Submission;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.function.LongSupplier;

/// An engine in real time.
///
/// Clients and executors put inputs into an inbox from any thread. One thread takes all there are,
/// gives them the same time, and asks the policies once; so the journal shows which inputs were
/// decided on together, and deciding again from it comes to the same. What is decided reaches
/// executors and clients behind the journal, on one other thread.
///
/// Where anything fails, everything stops: [#termination] completes with the cause.
public final class LiveEngine implements AutoCloseable {

  /// Client inputs that may wait for the engine at once.
  public static final int INBOX_INPUTS_MAX = 65_536;

  private enum Ending {
    NOT_YET,
    /// Once live requests have run to their end.
    DRAIN,
    /// Once live requests are cancelled and their steps in flight are over.
    CANCEL
  }

  private final Inbox inbox;
  private final LongSupplier nanoClock;
  private final Notices notices = new Notices();
  private final CompletableFuture<Void> termination = new CompletableFuture<>();
  private final EnginePipeline pipeline;
  private final Engine engine;
  private final List<Place> places;
  private volatile Ending ending = Ending.NOT_YET;
  private volatile int arrivedRequests;
  private long startNanos;
  private long nowNanos;

  /// Starts an engine.
  ///
  /// @param run the log's first event; its time must be 0
  /// @param pipeline with a journal and whatever is to run beside; who acts and who hears of
  ///   failures is set here
  /// @param executors makes the executor, given where that is to report; the caller closes it once
  ///   the engine has ended
  public static LiveEngine start(
      RunStarted run, EnginePipeline.Builder pipeline, Function<Completions, Executor> executors) {
    return start(run, pipeline, executors, INBOX_INPUTS_MAX, System::nanoTime);
  }

  static LiveEngine start(
      RunStarted run,
      EnginePipeline.Builder pipeline,
      Function<Completions, Executor> executors,
      int inboxInputsMax,
      LongSupplier nanoClock) {
    if (run.atNanos() != 0) {
      throw new IllegalArgumentException(
          "RunStarted is at %d ns, must be at 0: that is when a live run starts"
              .formatted(run.atNanos()));
    }
    LiveEngine live = new LiveEngine(run, pipeline, executors, inboxInputsMax, nanoClock);
    Thread thread = new Thread(() -> live.run(run), "fusespill-engine");
    thread.setDaemon(true);
    thread.start();
    return live;
  }

  private LiveEngine(
      RunStarted run,
      EnginePipeline.Builder builder,
      Function<Completions, Executor> executors,
      int inboxInputsMax,
      LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    inbox = new Inbox(inboxInputsMax);
    places = run.config().topology().places();
    engine = new Engine(run.config(), this::append);
    Dispatcher dispatcher = new Dispatcher(executors.apply(inbox));
    pipeline =
        builder
            .dispatch((position, event) -> dispatch(event, dispatcher))
            .onFailure(inbox::nudge)
            .start();
  }

  private long append(EngineEvent event) {
    notices.prepare(event, engine.view());
    return pipeline.append(event);
  }

  private void dispatch(EngineEvent event, Dispatcher dispatcher) {
    if (event instanceof RequestArrived arrived) {
      arrivedRequests = arrived.request() + 1;
    }
    notices.deliver(event);
    dispatcher.accept(event);
  }

  /// Asks for `samples` continuations of a prompt. The listener hears the request's number once it
  /// has one.
  ///
  /// @param maxOutputTokens output length at which each sample is cut
  /// @throws InboxFullException if [#INBOX_INPUTS_MAX] inputs wait already
  /// @throws IllegalStateException if the engine is stopping
  /// @throws EngineStoppedException if the engine has failed
  public void submit(int samples, int promptTokens, int maxOutputTokens, RequestListener listener) {
    inbox.submit(new Submission(samples, promptTokens, maxOutputTokens, listener));
  }

  /// Gives a request up. Nothing happens where it has ended already.
  ///
  /// @param request a number that its listener has heard
  /// @throws InboxFullException if [#INBOX_INPUTS_MAX] inputs wait already
  public void cancel(int request) {
    if (request < 0 || request >= arrivedRequests) {
      throw new IllegalArgumentException(
          "request is %d, must be one of the %d that have arrived, counted from 0"
              .formatted(request, arrivedRequests));
    }
    inbox.cancel(new Cancellation(request));
  }

  /// Takes no more requests, lets the live ones run to their end, and waits for that. Not for
  /// listeners and executors, whose own thread it would wait for.
  ///
  /// @throws EngineStoppedException if the engine has failed
  public void stop() {
    end(Ending.DRAIN);
  }

  /// As [#stop], but cancels the live requests; only steps and transfers in flight run to their
  /// end.
  ///
  /// @throws EngineStoppedException if the engine has failed
  public void stopNow() {
    end(Ending.CANCEL);
  }

  /// As [#stopNow], unless the engine has ended already.
  @Override
  public void close() {
    if (!termination.isDone()) {
      stopNow();
    }
  }

  private void end(Ending how) {
    inbox.close();
    ending = how;
    inbox.nudge();
    try {
      termination.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof EngineStoppedException failure) {
        throw new EngineStoppedException(failure);
      }
      throw e;
    }
  }

  /// Completes when the engine has ended and its journal is closed; with an
  /// [EngineStoppedException] where it failed.
  public CompletableFuture<Void> termination() {
    return termination.copy();
  }

  /// Number of events journaled. Known once the engine has ended, like all that follows.
  public long events() {
    return pipeline.events();
  }

  /// Size of their records in bytes, without what the journal adds.
  public long bytes() {
    return pipeline.bytes();
  }

  /// SHA-256 of their records in order, in lower-case hex.
  public String digest() {
    return pipeline.digest();
  }

  private void run(RunStarted run) {
    try {
      startNanos = nanoClock.getAsLong();
      engine.accept(run);
      engine.schedule();
      do {
        decide(inbox.take());
      } while (!over());
      engine.checkpoint();
      pipeline.close();
      termination.complete(null);
    } catch (Throwable e) {
      fail(e);
    }
  }

  /// Takes a batch at one time, later than that of the batch before, and has it decided on.
  private void decide(List<Input> batch) {
    pipeline.checkRunning();
    nowNanos = Math.max(nowNanos + 1, nanoClock.getAsLong() - startNanos);
    for (Input input : batch) {
      accept(input);
    }
    if (ending == Ending.CANCEL) {
      cancelLive();
    }
    if (engine.view().nowNanos() == nowNanos) {
      engine.schedule();
    }
  }

  private void accept(Input input) {
    switch (input) {
      case Submission submission -> arrive(submission);
      case Cancellation cancellation ->
          engine.accept(new RequestCancelled(nowNanos, cancellation.request()));
      case Report report -> engine.accept(report.event().apply(nowNanos));
    }
  }

  private void arrive(Submission submission) {
    notices.expect(submission.listener());
    engine.accept(
        new RequestArrived(
            nowNanos,
            engine.state().nextRequest(),
            engine.state().nextSequence(),
            submission.samples(),
            submission.promptTokens(),
            submission.maxOutputTokens()));
  }

  private void cancelLive() {
    EngineState state = engine.state();
    for (int id = state.firstRequest(); id < state.nextRequest(); id++) {
      Request request = state.request(id);
      if (request != null && !request.cancelled()) {
        engine.accept(new RequestCancelled(nowNanos, id));
      }
    }
  }

  private boolean over() {
    if (ending == Ending.NOT_YET || !inbox.isEmpty() || inFlight()) {
      return false;
    }
    if (ending == Ending.DRAIN && !engine.idle()) {
      throw new IllegalStateException(
          "%d requests are left at position %d that the policy does not serve"
              .formatted(engine.state().liveRequests(), engine.state().events()));
    }
    return engine.idle();
  }

  private boolean inFlight() {
    for (Place place : places) {
      if (place.computes() && engine.view().stepInFlight(place.id()) != null) {
        return true;
      }
    }
    return engine.view().transfersInFlight() > 0;
  }

  private void fail(Throwable cause) {
    EngineStoppedException failure =
        cause instanceof EngineStoppedException stopped
            ? stopped
            : new EngineStoppedException("the engine has stopped: " + cause, cause);
    inbox.close(failure);
    try {
      pipeline.close();
    } catch (EngineStoppedException e) {
      if (!Objects.equals(e.getCause(), failure.getCause())) {
        failure.addSuppressed(e);
      }
    }
    termination.completeExceptionally(failure);
  }
}
