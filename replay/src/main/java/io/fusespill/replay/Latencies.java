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
  public void timePerOutputToken(long nanos) {
    tpot.record(nanos, 1);
  }

  @Override
  public void ended(RequestOutcome outcome) {
    if (outcome.ending() == Ending.COMPLETED) {
      e2e.record(outcome.endNanos() - outcome.arrivalNanos(), 1);
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
}
