package io.fusespill.replay.length;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.traces.TraceRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The events of a device without limits: every request runs from its arrival, and every step takes
/// 50 ms and gives each running sequence a token. What is concurrent then follows from the trace
/// alone.
final class LockstepRun {

  private static final int MAX_OUTPUT_TOKENS = 4_096;

  private static final long STEP_NANOS = 50_000_000;

  private record Running(int sequence, TraceRequest request) {}

  private final List<TraceRequest> trace;
  private final Consumer<EngineEvent> log;
  private final List<Running> running = new ArrayList<>();
  private final int[] produced;
  private int next;

  LockstepRun(List<TraceRequest> trace, Consumer<EngineEvent> log) {
    this.trace = trace;
    this.log = log;
    this.produced = new int[trace.size()];
  }

  void run() {
    log.accept(new RunStarted(0, "lockstep", "", 0, config()));
    long nowNanos = 0;
    for (long step = 0; next < trace.size() || !running.isEmpty(); step++) {
      if (running.isEmpty()) {
        nowNanos = Math.max(nowNanos, trace.get(next).arrivalNanos());
      }
      arrivalsUntil(nowNanos);
      log.accept(new StepPlanned(nowNanos, plan(step), 0, 0));
      nowNanos += STEP_NANOS;
      log.accept(new StepCompleted(nowNanos, 0, step, Ints.EMPTY, Ints.EMPTY));
      complete(nowNanos);
    }
  }

  private static EngineConfig config() {
    return new EngineConfig(
        new KvLayout(16, 1, 1),
        new EngineLimits(1_024, EngineLimits.MAX_TOKENS, LengthPredictor.MAX_TOKENS, 1, 0),
        new Topology(List.of(Place.device(0, "unlimited", 1)), List.of()),
        PolicySpec.of("lockstep"));
  }

  private void arrivalsUntil(long nowNanos) {
    while (next < trace.size() && trace.get(next).arrivalNanos() <= nowNanos) {
      TraceRequest request = trace.get(next);
      log.accept(
          new RequestArrived(
              request.arrivalNanos(), next, next, 1, request.promptTokens(), MAX_OUTPUT_TOKENS));
      running.add(new Running(next++, request));
    }
  }

  private StepPlan plan(long step) {
    int[] sequences = new int[running.size()];
    int[] news = new int[running.size()];
    int[] computed = new int[running.size()];
    for (int i = 0; i < running.size(); i++) {
      int sequence = running.get(i).sequence();
      int prompt = running.get(i).request().promptTokens();
      sequences[i] = sequence;
      news[i] = produced[sequence] == 0 ? prompt : 1;
      computed[i] = produced[sequence] == 0 ? 0 : prompt + produced[sequence] - 1;
    }
    return new StepPlan(
        0,
        step,
        Ints.of(sequences),
        Ints.of(news),
        Ints.of(computed),
        Ints.EMPTY,
        List.of(),
        Ints.EMPTY,
        0);
  }

  private void complete(long nowNanos) {
    running.removeIf(sequence -> {
      boolean ended = ++produced[sequence.sequence()] == sequence.request().outputTokens();
      if (ended) {
        log.accept(new SequenceFinished(nowNanos, sequence.sequence(), FinishReason.STOP));
      }
      return ended;
    });
  }
}
