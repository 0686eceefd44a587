package io.fusespill.journal.live;

import io.fusespill.engine.Engine;
import io.fusespill.engine.EventLog;
import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.codec.RecordLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.PlaceRestored;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.exec.Dispatcher;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.exec.ExecutorFactory;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Request;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.EngineStoppedException;
import io.fusespill.journal.Journal;
import io.fusespill.journal.live.Inbox.Cancellation;
import io.fusespill.journal.live.Inbox.Input;
import io.fusespill.journal.live.Inbox.Report;
import io.fusespill.journal.live.Inbox.Submission;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

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

  /// What the events that were dispatched lead to.
  private final EngineState behind = new EngineState();

  private final CompletableFuture<Void> termination = new CompletableFuture<>();
  private final EnginePipeline pipeline;
  private final Engine engine;
  private final Executor executor;
  private final Dispatcher dispatcher;

  /// Where the engine logs: the pipeline, behind a check against what an earlier process decided
  /// while that is decided again.
  private EventLog log;

  /// Position of the first event that is not an earlier process's.
  private volatile long ownPosition;

  /// Places that have failed at some time, with the last cause: reports of theirs may come too
  /// late.
  private final Map<Integer, String> unreliable = new TreeMap<>();

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
  /// @param executors makes the executor; the caller closes it once the engine has ended
  public static LiveEngine start(
      RunStarted run, EnginePipeline.Builder pipeline, ExecutorFactory executors) {
    return start(run, pipeline, executors, INBOX_INPUTS_MAX, System::nanoTime);
  }

  static LiveEngine start(
      RunStarted run,
      EnginePipeline.Builder pipeline,
      ExecutorFactory executors,
      int inboxInputsMax,
      LongSupplier nanoClock) {
    if (run.atNanos() != 0) {
      throw new IllegalArgumentException(
          "RunStarted is at %d ns, must be at 0: that is when a live run starts"
              .formatted(run.atNanos()));
    }
    LiveEngine live = new LiveEngine(run, pipeline, executors, inboxInputsMax, nanoClock);
    live.begin(() -> live.open(run));
    return live;
  }

  /// Starts an engine that goes on from what an earlier process has journaled: with the same
  /// requests, those that have ended excepted, and with the tokens that they have. All KV is gone,
  /// so what was running is recomputed. The clock goes on from the last event's time.
  ///
  /// All recorded events are logged again, so the pipeline's journal must be another one than that
  /// which they are read from. What the earlier process had decided but not journaled is decided
  /// again.
  ///
  /// @param run the first of the recorded events
  /// @param recorded the others in order; read on a thread of the engine's
  /// @param listeners gives each recorded request its listener, which hears everything again from
  ///   its arrival on
  public static LiveEngine resume(
      RunStarted run,
      Iterator<EngineEvent> recorded,
      EnginePipeline.Builder pipeline,
      ExecutorFactory executors,
      Function<RequestArrived, RequestListener> listeners) {
    LiveEngine live = new LiveEngine(run, pipeline, executors, INBOX_INPUTS_MAX, System::nanoTime);
    live.ownPosition = Long.MAX_VALUE;
    live.begin(() -> live.goOn(run, recorded, listeners));
    return live;
  }

  private void begin(Runnable opening) {
    Thread thread = new Thread(() -> run(opening), "fusespill-engine");
    thread.setDaemon(true);
    thread.start();
  }

  private LiveEngine(
      RunStarted run,
      EnginePipeline.Builder builder,
      ExecutorFactory executors,
      int inboxInputsMax,
      LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    inbox = new Inbox(inboxInputsMax);
    places = run.config().topology().places();
    engine = new Engine(run.config(), event -> log.append(event));
    executor = executors.create(inbox, behind);
    dispatcher = new Dispatcher(executor);
    pipeline = builder.dispatch(this::dispatch).onFailure(inbox::nudge).start();
    log = pipeline;
  }

  private void dispatch(long position, EngineEvent event) {
    if (event instanceof RequestArrived arrived) {
      arrivedRequests = arrived.request() + 1;
    }
    notices.deliver(event, behind);
    if (position >= ownPosition) {
      behind.apply(event);
      dispatcher.accept(event);
      return;
    }
    if (event instanceof StepCompleted completed) {
      Notices.sampled(
          completed, behind, (request, sequence, token) -> executor.known(sequence, token));
    }
    behind.apply(event);
    dispatcher.recall(event);
  }

  /// Sends a request. The listener hears its number once it has one.
  ///
  /// @throws IllegalArgumentException if the request is longer than a journal's records
  /// @throws InboxFullException if [#INBOX_INPUTS_MAX] inputs wait already
  /// @throws IllegalStateException if the engine is stopping
  /// @throws EngineStoppedException if the engine has failed
  public void submit(LiveRequest request, RequestListener listener) {
    requireRecordable(request);
    inbox.submit(new Submission(request, listener));
  }

  /// A record that a journal refuses ends the engine, and one client's prompt must not.
  private static void requireRecordable(LiveRequest request) {
    long bytes =
        RecordLayout.PAYLOAD
            + 5L * (request.prompt().ids().size() + 8)
            + 4L * request.prompt().parameters().length();
    if (bytes > Journal.RECORD_BYTES_MAX) {
      int last = Integer.MAX_VALUE;
      int length = new EventEncoder().encode(0, arrived(0, last, last, request));
      if (length > Journal.RECORD_BYTES_MAX) {
        throw new IllegalArgumentException(
            "a prompt of %,d token ids takes %,d bytes in a journal, whose records have at most %,d"
                .formatted(request.prompt().ids().size(), length, Journal.RECORD_BYTES_MAX));
      }
    }
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

  private void run(Runnable opening) {
    try {
      opening.run();
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

  private void open(RunStarted run) {
    startNanos = nanoClock.getAsLong();
    engine.accept(run);
    engine.schedule();
  }

  private void goOn(
      RunStarted run,
      Iterator<EngineEvent> recorded,
      Function<RequestArrived, RequestListener> listeners) {
    List<EngineEvent> instant = new ArrayList<>(List.of(run));
    while (recorded.hasNext()) {
      EngineEvent event = recorded.next();
      if (event.atNanos() != instant.getFirst().atNanos()) {
        instant.forEach(engine::replay);
        instant.clear();
      }
      if (event instanceof RequestArrived arrived) {
        notices.expect(listeners.apply(arrived));
      }
      instant.add(event);
    }
    decideAgain(instant);
    ownPosition = engine.state().events();
    nowNanos = engine.view().nowNanos() + 1;
    startNanos = nanoClock.getAsLong() - nowNanos;
    for (Place place : places) {
      failPlace(place.id(), "the process ended");
    }
    places.forEach(place -> engine.accept(new PlaceRestored(nowNanos, place.id())));
    engine.schedule();
  }

  /// Decides the last recorded instant from its inputs, because the earlier process may have ended
  /// in the midst of it: what is recorded is decided as recorded, and the rest is new.
  private void decideAgain(List<EngineEvent> instant) {
    Deque<EngineEvent> recorded = new ArrayDeque<>(instant);
    log =
        event -> {
          EngineEvent expected = recorded.poll();
          if (expected != null && !expected.equals(event)) {
            throw new IllegalStateException(
                "position %d is %s in the journal, and this engine comes to %s: another version wrote it"
                    .formatted(engine.state().events(), expected, event));
          }
          return pipeline.append(event);
        };
    for (EngineEvent event : instant) {
      if (event instanceof InputEvent input) {
        engine.accept(input);
      }
    }
    engine.schedule();
    while (!recorded.isEmpty()) {
      engine.replay(recorded.getFirst());
    }
    log = pipeline;
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
    if (!engine.idle()) {
      requireDevice();
    }
  }

  private void accept(Input input) {
    switch (input) {
      case Submission submission -> arrive(submission);
      case Cancellation cancellation ->
          engine.accept(new RequestCancelled(nowNanos, cancellation.request()));
      case Report report -> accept(report.event().apply(nowNanos));
    }
  }

  private void accept(InputEvent report) {
    if (report instanceof PlaceFailed failed) {
      failPlace(failed.place(), failed.cause());
    } else if (!late(report)) {
      engine.accept(judged(report));
    }
  }

  /// As it is reported; as failed where a place that is gone had a part in what is said to be done.
  private InputEvent judged(InputEvent report) {
    if (unreliable.isEmpty()) {
      return report;
    }
    return switch (report) {
      case StepCompleted step -> {
        String cause = gone(partners(step.device()));
        yield cause == null ? report : new StepFailed(nowNanos, step.device(), step.step(), cause);
      }
      case TransferCompleted completed -> {
        TransferPlan transfer = engine.state().transferInFlight(completed.transfer());
        String cause = transfer == null ? null : gone(IntStream.of(transfer.from()));
        yield cause == null ? report : new TransferFailed(nowNanos, completed.transfer(), cause);
      }
      default -> report;
    };
  }

  /// Places that a device's oldest step attends in, or copies from or to.
  private IntStream partners(int device) {
    StepPlan step = engine.view().stepInFlight(device);
    if (step == null) {
      return IntStream.empty();
    }
    return IntStream.concat(
        IntStream.of(step.remotePlace()),
        engine.state().orderedInFlight(device, 0).stream()
            .flatMapToInt(transfer -> IntStream.of(transfer.from(), transfer.to())));
  }

  /// Why the first of these places that is gone is so; null where none is.
  private @Nullable String gone(IntStream ids) {
    return ids.filter(id -> id >= 0 && engine.view().failed(id))
        .mapToObj(unreliable::get)
        .findFirst()
        .orElse(null);
  }

  /// Whether it was said to have failed already, because a place did, or is about to be.
  private boolean late(InputEvent report) {
    return !unreliable.isEmpty()
        && switch (report) {
          case StepCompleted completed -> !inFlight(completed.device(), completed.step());
          case SequenceFailed failed ->
              !inFlight(failed.device(), failed.step()) || gone(partners(failed.device())) != null;
          case StepFailed failed -> !inFlight(failed.device(), failed.step());
          case TransferCompleted completed ->
              engine.state().transferInFlight(completed.transfer()) == null;
          case TransferFailed failed -> engine.state().transferInFlight(failed.transfer()) == null;
          default -> false;
        };
  }

  private boolean inFlight(int device, long step) {
    StepPlan plan = engine.view().stepInFlight(device);
    return plan != null && plan.step() == step;
  }

  /// The place is gone, and with it its steps in flight and what is on its way there. What other
  /// places do with it goes on, and so does a copy out of it: blocks at the other end are in use
  /// until that is over, and then it counts as failed ([#judged]). Of a place that is gone already,
  /// something may still be in flight where an earlier process ended while it said so.
  private void failPlace(int place, String cause) {
    if (!engine.view().failed(place)) {
      unreliable.put(place, cause);
      engine.accept(new PlaceFailed(nowNanos, place, cause));
    }
    failSteps(place, cause);
    failTransfers(place, cause);
  }

  private void failSteps(int device, String cause) {
    StepPlan step = engine.view().stepInFlight(device);
    while (step != null) {
      engine.accept(new StepFailed(nowNanos, device, step.step(), cause));
      step = engine.view().stepInFlight(device);
    }
  }

  private void failTransfers(int to, String cause) {
    EngineState state = engine.state();
    for (int id = state.firstTransfer(); id < state.nextTransfer(); id++) {
      TransferPlan transfer = state.transferInFlight(id);
      if (transfer != null && transfer.to() == to) {
        engine.accept(new TransferFailed(nowNanos, id, cause));
      }
    }
  }

  /// Where nothing is under way, nothing happens any more without an input: the first request in
  /// the queue fits no device that is left, and the rest would wait for ever.
  ///
  /// @throws NoDeviceException if a place has failed, and those that are left do not serve
  private void requireDevice() {
    if (unreliable.isEmpty()) {
      return;
    }
    String causes =
        places.stream()
            .filter(place -> engine.view().failed(place.id()))
            .map(place -> "%s: %s".formatted(place.name(), unreliable.get(place.id())))
            .collect(Collectors.joining("; "));
    if (causes.isEmpty()) {
      return;
    }
    boolean works =
        places.stream().anyMatch(place -> place.computes() && !engine.view().failed(place.id()));
    if (!works || !inFlight()) {
      throw new NoDeviceException(
          "no device is left that %s, and %d requests have not ended; they go on when the run is resumed (%s)"
              .formatted(
                  works ? "can hold the next request" : "works",
                  engine.state().liveRequests(),
                  causes));
    }
  }

  private void arrive(Submission submission) {
    LiveRequest request = submission.request();
    notices.expect(submission.listener());
    engine.accept(
        arrived(nowNanos, engine.state().nextRequest(), engine.state().nextSequence(), request));
  }

  private static RequestArrived arrived(long atNanos, int number, int first, LiveRequest request) {
    return new RequestArrived(
        atNanos,
        number,
        first,
        request.samples(),
        request.promptTokens(),
        request.maxOutputTokens(),
        request.hintTokens(),
        request.prompt());
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
