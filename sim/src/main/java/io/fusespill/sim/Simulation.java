package io.fusespill.sim;

import io.fusespill.engine.Engine;
import io.fusespill.engine.EventLog;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.exec.Dispatcher;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.state.EngineState;
import io.fusespill.sim.EventQueue.Rank;
import io.fusespill.traces.TraceRequest;
import java.util.Iterator;
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
  private final boolean oracle;
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
    oracle = PredictorKind.named(config.predictor()).oracle();
    long seed = setup.start().seed();
    executor = new SimulatedExecutor(config, world, seed, () -> nowNanos, queue::add);
    Dispatcher dispatcher = new Dispatcher(executor);
    engine = new Engine(config, world.policy(config), event -> dispatch(log, dispatcher, event));
  }

  private static long dispatch(EventLog log, Dispatcher dispatcher, EngineEvent event) {
    long position = log.append(event);
    dispatcher.accept(event);
    return position;
  }

  /// Runs until nothing is left to happen, and logs a last checkpoint.
  ///
  /// @throws IllegalStateException if requests are left that nothing will ever serve
  public void run() {
    engine.accept(setup.start());
    pull();
    if (next == null || next.atNanos() > nowNanos) {
      engine.schedule();
    }
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
    while (queue.nextNanos() == nowNanos) {
      InputEvent input = queue.remove();
      engine.accept(input);
    }
    while (next != null && next.atNanos() == nowNanos) {
      arrive(next);
      pull();
    }
    engine.schedule();
    if ((++rounds & PROGRESS_MASK) == 0) {
      progress.update(engine.state().nextRequest(), engine.state().liveRequests(), nowNanos);
    }
  }

  private void arrive(Arrival request) {
    int maxModelTokens = setup.start().config().limits().maxModelTokens();
    RequestArrived arrived =
        new RequestArrived(
            nowNanos,
            engine.state().nextRequest(),
            engine.state().nextSequence(),
            request.samples(),
            request.promptTokens(),
            request.maxOutputTokens() == Arrival.NO_MAXIMUM
                ? maxModelTokens
                : request.maxOutputTokens(),
            oracle ? request.outputTokens() : request.declaredOutputTokens());
    executor.expect(
        arrived.firstSequence(), arrived.samples(), arrived.promptTokens(), request.outputTokens());
    engine.accept(arrived);
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
