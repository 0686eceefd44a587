package io.fusespill.sim;

import io.fusespill.engine.Engine;
import io.fusespill.engine.EventLog;
import io.fusespill.engine.InputException;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
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
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.EngineState;
import io.fusespill.sim.EventQueue.Rank;
import io.fusespill.traces.TraceRequest;
import java.util.Iterator;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// One run in virtual time: requests arrive as the workload says, the executor answers when its
/// cost models say, and time jumps from one instant to the next.
///
/// At one instant, transfers complete before steps, steps before cancellations, and those before
/// arrivals; then the policies are asked. Runs on the caller's thread.
public final class Simulation {

  /// Hears now and then how far the run is.
  @FunctionalInterface
  public interface Progress {
    void update(long arrivedRequests, long liveRequests, long nowNanos);
  }

  /// Everything that a run is made of.
  ///
  /// @param samples parallel samples of each request
  public record Setup(RunStarted start, World world, int samples) {}

  private static final int PROGRESS_MASK = (1 << 13) - 1;

  private final EventQueue queue = new EventQueue();
  private final Iterator<Arrival> workload;
  private final Setup setup;
  private final Engine engine;
  private final SimulatedExecutor executor;
  private final Progress progress;
  private final ProgressGuard guard;
  private boolean oracle;
  private @Nullable Arrival next;
  private long nowNanos;
  private int rounds;

  /// @param workload requests in order of arrival; read as the run needs them
  /// @param log where events go; every event is there before the simulated world sees it
  public Simulation(Setup setup, Iterator<TraceRequest> workload, EventLog log, Progress progress) {
    this(
        setup,
        log,
        progress,
        new TraceArrivals(workload, setup.samples(), setup.world().faults(), setup.start().seed()));
  }

  /// A run of requests that come as `arrivals` say, cancellations included: those that the world's
  /// faults would draw, and the number of samples of the setup, do not count.
  ///
  /// @param arrivals in order of time; read as the run needs them
  public static Simulation ofArrivals(
      Setup setup, Iterator<Arrival> arrivals, EventLog log, Progress progress) {
    return new Simulation(setup, log, progress, arrivals);
  }

  private Simulation(Setup setup, EventLog log, Progress progress, Iterator<Arrival> workload) {
    this.setup = setup;
    this.workload = workload;
    this.progress = progress;
    EngineConfig config = setup.start().config();
    World world = setup.world();
    oracle = isOracle(config);
    long seed = setup.start().seed();
    executor = new SimulatedExecutor(config, world, seed, () -> nowNanos, queue::add);
    Dispatcher dispatcher = new Dispatcher(executor);
    engine = new Engine(config, world.policies(), event -> dispatch(log, dispatcher, event));
    guard = new ProgressGuard(setup.start(), engine.state());
  }

  private static boolean isOracle(EngineConfig config) {
    return PredictorKind.named(config.predictor()).oracle();
  }

  private static long dispatch(EventLog log, Dispatcher dispatcher, EngineEvent event) {
    long position = log.append(event);
    dispatcher.accept(event);
    return position;
  }

  /// Runs until nothing is left to happen, and logs a last checkpoint.
  ///
  /// @throws IllegalStateException if requests are left that nothing will ever serve: because
  ///   nothing is under way, or because whatever is makes no progress
  public void run() {
    engine.accept(setup.start());
    pull();
    if (next == null || next.atNanos() > nowNanos) {
      engine.schedule();
    }
    playToEnd();
  }

  // -------------------------------------------------------------- branches

  /// Takes the next event of a log that this run goes on from, as it is: the world hears of it, so
  /// that what is under way at the end of the log is under way here too. An answer of the world
  /// that came at another time than its cost models say moves what is queued behind it by as much.
  ///
  /// The events begin with the setup's own start, and their requests are the first of the workload.
  ///
  /// @throws IllegalStateException if the event does not follow from those before it
  public void replay(EngineEvent event) {
    nowNanos = event.atNanos();
    switch (event) {
      case RequestArrived arrived -> {
        Arrival request = requireNext(arrived);
        executor.expect(
            arrived.firstSequence(),
            arrived.samples(),
            arrived.promptTokens(),
            request.outputTokens());
        engine.replay(arrived);
        expectCancellation(request, arrived);
        pull();
      }
      case StepCompleted done -> answered(done, each -> isStep(each, done.device(), done.step()));
      case SequenceFailed failed -> engine.replay(failed);
      case StepFailed failed ->
          answered(failed, each -> isStep(each, failed.device(), failed.step()));
      case TransferCompleted done -> answered(done, each -> isTransfer(each, done.transfer()));
      case TransferFailed failed -> answered(failed, each -> isTransfer(each, failed.transfer()));
      case RequestCancelled cancelled -> {
        queue.take(
            each -> each instanceof RequestCancelled due && due.request() == cancelled.request());
        engine.replay(cancelled);
      }
      case RunStarted started -> {
        engine.replay(started);
        pull();
      }
      case ConfigurationChanged changed -> {
        engine.replay(changed);
        oracle = isOracle(changed.config());
      }
      case PlaceFailed failed -> throw cannotGoOn(failed);
      case PlaceRestored restored -> throw cannotGoOn(restored);
      case DecisionEvent decision -> engine.replay(decision);
    }
  }

  private static IllegalStateException cannotGoOn(InputEvent event) {
    return new IllegalStateException(
        "a simulated world has no places that fail, so it cannot go on from a log with " + event);
  }

  private Arrival requireNext(RequestArrived arrived) {
    if (next == null) {
      throw new IllegalStateException(
          "request %d arrives, and the workload has no more".formatted(arrived.request()));
    }
    return next;
  }

  private void answered(InputEvent answer, Predicate<InputEvent> expected) {
    InputEvent due = queue.take(expected);
    if (due == null) {
      throw new IllegalStateException("nothing under way has the answer " + answer);
    }
    long later = answer.atNanos() - due.atNanos();
    if (later != 0) {
      shift(answer, later);
    }
    engine.replay(answer);
  }

  private void shift(InputEvent answer, long later) {
    if (answer instanceof StepCompleted || answer instanceof StepFailed) {
      int device = deviceOf(answer);
      executor.shiftDevice(device, later);
      queue.replaceAll(each ->
          deviceOf(each) == device ? at(each, Math.max(nowNanos, each.atNanos() + later)) : each);
    } else {
      int transfer =
          answer instanceof TransferCompleted done
              ? done.transfer()
              : ((TransferFailed) answer).transfer();
      TransferPlan plan = engine.state().transferInFlight(transfer);
      if (plan != null) {
        executor.shiftChannel(plan, later);
        queue.replaceAll(each ->
            onChannelOf(plan, each) ? at(each, Math.max(nowNanos, each.atNanos() + later)) : each);
      }
    }
  }

  private boolean onChannelOf(TransferPlan plan, InputEvent due) {
    int transfer =
        switch (due) {
          case TransferCompleted done -> done.transfer();
          case TransferFailed failed -> failed.transfer();
          default -> -1;
        };
    TransferPlan other = transfer < 0 ? null : engine.state().transferInFlight(transfer);
    return other != null && executor.shareChannel(plan, other);
  }

  private static int deviceOf(InputEvent answer) {
    return switch (answer) {
      case StepCompleted done -> done.device();
      case StepFailed failed -> failed.device();
      default -> -1;
    };
  }

  private static boolean isStep(InputEvent due, int device, long step) {
    return switch (due) {
      case StepCompleted done -> done.device() == device && done.step() == step;
      case StepFailed failed -> failed.device() == device && failed.step() == step;
      default -> false;
    };
  }

  private static boolean isTransfer(InputEvent due, int transfer) {
    return switch (due) {
      case TransferCompleted done -> done.transfer() == transfer;
      case TransferFailed failed -> failed.transfer() == transfer;
      default -> false;
    };
  }

  /// The same answer or cancellation at another time.
  private static InputEvent at(InputEvent event, long nanos) {
    return switch (event) {
      case StepCompleted e ->
          new StepCompleted(
              nanos, e.device(), e.step(), e.ended(), e.sampledTokens(), e.busyNanos());
      case StepFailed e -> new StepFailed(nanos, e.device(), e.step(), e.cause());
      case TransferCompleted e -> new TransferCompleted(nanos, e.transfer());
      case TransferFailed e -> new TransferFailed(nanos, e.transfer(), e.cause());
      case RequestCancelled e -> new RequestCancelled(nanos, e.request());
      default -> throw new IllegalStateException("nothing to wait for: " + event);
    };
  }

  /// Goes on from what was replayed under another configuration, at the same instant, until nothing
  /// is left to happen. What should have been answered by now is answered now.
  ///
  /// @throws InputException if the run cannot go on under it
  public void branch(ConfigurationChanged changed) {
    engine.accept(changed);
    oracle = isOracle(changed.config());
    queue.replaceAll(each -> each.atNanos() < nowNanos ? at(each, nowNanos) : each);
    playInstant();
    playToEnd();
  }

  private void playToEnd() {
    while (next != null || !queue.isEmpty()) {
      step();
    }
    if (!engine.idle()) {
      throw new IllegalStateException(
          "%d requests are left at position %d and nothing is in flight"
              .formatted(engine.state().liveRequests(), engine.state().events()));
    }
    engine.checkpoint();
    progress.update(engine.state().nextRequest(), 0, nowNanos);
  }

  /// Plays everything of the next instant, then asks the policies.
  private void step() {
    nowNanos = Math.min(queue.nextNanos(), next == null ? Long.MAX_VALUE : next.atNanos());
    playInstant();
    if ((++rounds & PROGRESS_MASK) == 0) {
      progress.update(engine.state().nextRequest(), engine.state().liveRequests(), nowNanos);
    }
  }

  private void playInstant() {
    while (queue.nextNanos() == nowNanos) {
      InputEvent input = queue.remove();
      guard.before(input);
      engine.accept(input);
    }
    while (next != null && next.atNanos() == nowNanos) {
      arrive(next);
      pull();
    }
    engine.schedule();
    guard.instantOver();
  }

  private void arrive(Arrival request) {
    EngineConfig config = engine.state().config();
    RequestArrived arrived =
        new RequestArrived(
            nowNanos,
            engine.state().nextRequest(),
            engine.state().nextSequence(),
            request.samples(),
            request.promptTokens(),
            request.maxOutputTokens() == Arrival.NO_MAXIMUM
                ? config.limits().maxModelTokens()
                : request.maxOutputTokens(),
            oracle ? request.outputTokens() : request.declaredOutputTokens(),
            request.prompt());
    executor.expect(
        arrived.firstSequence(), arrived.samples(), arrived.promptTokens(), request.outputTokens());
    engine.accept(arrived);
    expectCancellation(request, arrived);
  }

  private void expectCancellation(Arrival request, RequestArrived arrived) {
    if (request.cancelledAfterNanos() != Arrival.NEVER) {
      queue.add(
          Rank.CANCELLATION,
          new RequestCancelled(nowNanos + request.cancelledAfterNanos(), arrived.request()));
    }
  }

  private void pull() {
    next = workload.hasNext() ? workload.next() : null;
    if (next != null && next.atNanos() < nowNanos) {
      throw new IllegalArgumentException(
          "request arrives at %d ns after one at %d ns: a workload must be in order of arrival"
              .formatted(next.atNanos(), nowNanos));
    }
  }

  /// The engine's state, for inspection.
  public EngineState state() {
    return engine.state();
  }
}
