package io.fusespill.cli;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.state.EngineView;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.live.LiveEngine;
import io.fusespill.journal.live.LiveRequest;
import io.fusespill.journal.live.RequestListener;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.SimulatedExecutor;
import io.fusespill.sim.TracePrompts;
import io.fusespill.traces.TraceRequest;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A simulation paced by the wall clock: the live engine, whose device answers after as long as its
/// cost model says.
///
/// Which inputs race into one batch is up to the machine, so two runs differ; each is proved by its
/// own journal all the same.
final class RealTimeRun {

  private final ResolvedScenario scenario;
  private final long startNanos = System.nanoTime();
  private @Nullable SimulatedExecutor device;

  RealTimeRun(ResolvedScenario scenario) {
    this.scenario = scenario;
  }

  /// Sends the trace's requests when they are due, waits for the last to end, and returns the
  /// engine for its figures.
  LiveEngine run(
      Iterator<TraceRequest> trace, EnginePipeline.Builder pipeline, ProgressLine progress) {
    try (LiveEngine engine = LiveEngine.start(scenario.setup().start(), pipeline, this::executor)) {
      TracePrompts prompts = new TracePrompts();
      long sent = 0;
      while (trace.hasNext()) {
        TraceRequest request = trace.next();
        sleepUntil(request.arrivalNanos());
        engine.submit(
            new LiveRequest(
                scenario.samples(),
                request.promptTokens(),
                scenario.config().limits().maxModelTokens(),
                0,
                prompts.of(request)),
            new Expectation(request));
        progress.at(++sent);
      }
      engine.stop();
      return engine;
    }
  }

  private Executor executor(Completions completions, EngineView behind) {
    EngineConfig config = scenario.config();
    SimulatedExecutor executor =
        new SimulatedExecutor(
            config,
            scenario.world(),
            scenario.seed(),
            this::nowNanos,
            (rank, result) -> answerWhenDue(completions, result));
    device = executor;
    return executor;
  }

  private void answerWhenDue(Completions completions, InputEvent result) {
    CompletableFuture.delayedExecutor(result.atNanos() - nowNanos(), TimeUnit.NANOSECONDS)
        .execute(() -> answer(completions, result));
  }

  private static void answer(Completions completions, InputEvent result) {
    switch (result) {
      case StepCompleted e ->
          completions.stepCompleted(
              e.device(), e.step(), e.ended(), e.sampledTokens(), e.busyNanos());
      case StepFailed e -> completions.stepFailed(e.device(), e.step(), e.cause());
      case TransferCompleted e -> completions.transferCompleted(e.transfer());
      case TransferFailed e -> completions.transferFailed(e.transfer(), e.cause());
      default -> throw new IllegalStateException("a device does not report " + result);
    }
  }

  private long nowNanos() {
    return System.nanoTime() - startNanos;
  }

  private void sleepUntil(long atNanos) {
    for (long rest = atNanos - nowNanos(); rest > 0; rest = atNanos - nowNanos()) {
      LockSupport.parkNanos(rest);
    }
  }

  /// Tells the device how long the outputs will be, as soon as the request has its numbers.
  private final class Expectation implements RequestListener {

    private final TraceRequest request;

    Expectation(TraceRequest request) {
      this.request = request;
    }

    @Override
    public void arrived(int number, int firstSequence) {
      if (device != null) {
        device.expect(
            firstSequence, scenario.samples(), request.promptTokens(), request.outputTokens());
      }
    }

    @Override
    public void finished(int sequence, FinishReason reason, boolean last) {}

    @Override
    public void rejected(RejectionReason reason, long needed, long available) {}
  }
}
