package io.fusespill.replay;

import io.fusespill.engine.metrics.LatencyListener;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RequestOutcome.Ending;
import java.util.function.Consumer;

/// The latencies of a run: TTFT from arrival at the engine, TPOT, ITL, and E2E of completed
/// requests.
public final class Latencies implements LatencyListener {

  private final Latency ttft = new Latency();
  private final Latency tpot = new Latency();
  private final Latency itl = new Latency();
  private final Latency e2e = new Latency();
  private final Latency spilledTpot = new Latency();
  private final Latency spilledE2e = new Latency();
  private final Consumer<RequestOutcome> outcomes;

  /// @param outcomes hears how each request went, as soon as it has ended
  public Latencies(Consumer<RequestOutcome> outcomes) {
    this.outcomes = outcomes;
  }

  @Override
  public void timeToFirstToken(long nanos) {
    ttft.record(nanos, 1);
  }

  @Override
  public void interToken(long nanos, int count) {
    itl.record(nanos, count);
  }

  @Override
  public void timePerOutputToken(long nanos, boolean preempted) {
    tpot.record(nanos, 1);
    if (preempted) {
      spilledTpot.record(nanos, 1);
    }
  }

  @Override
  public void ended(RequestOutcome outcome) {
    if (outcome.ending() == Ending.COMPLETED) {
      long nanos = outcome.endNanos() - outcome.arrivalNanos();
      e2e.record(nanos, 1);
      if (outcome.preemptions() > 0) {
        spilledE2e.record(nanos, 1);
      }
    }
    outcomes.accept(outcome);
  }

  public Latency ttft() {
    return ttft;
  }

  public Latency tpot() {
    return tpot;
  }

  public Latency itl() {
    return itl;
  }

  public Latency e2e() {
    return e2e;
  }

  /// TPOT of sequences that were preempted at least once, whatever then became of their KV.
  public Latency spilledTpot() {
    return spilledTpot;
  }

  /// E2E of completed requests with a sequence that was preempted at least once.
  public Latency spilledE2e() {
    return spilledE2e;
  }
}
