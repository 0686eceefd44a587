package io.fusespill.sweep;

import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RequestOutcome.Ending;
import java.util.OptionalLong;
import java.util.function.Consumer;

/// How many requests of a run kept the bounds of an objective, each for itself, and when they
/// arrived.
///
/// A gap between two tokens is known of the run alone: bounds on ITL do not count here.
final class RequestTally implements Consumer<RequestOutcome> {

  private final OptionalLong ttft;
  private final OptionalLong tpot;
  private final OptionalLong e2e;
  private long requests;
  private long good;
  private long lastArrivalNanos;

  RequestTally(Slo slo) {
    ttft = slo.limitNanos(SloMetric.TTFT);
    tpot = slo.limitNanos(SloMetric.TPOT);
    e2e = slo.limitNanos(SloMetric.E2E);
  }

  @Override
  public void accept(RequestOutcome outcome) {
    requests++;
    lastArrivalNanos = Math.max(lastArrivalNanos, outcome.arrivalNanos());
    if (outcome.ending() == Ending.COMPLETED && isGood(outcome)) {
      good++;
    }
  }

  private boolean isGood(RequestOutcome outcome) {
    long decodeNanos = outcome.endNanos() - outcome.firstTokenNanos();
    return keeps(outcome.firstTokenNanos() - outcome.arrivalNanos(), ttft)
        && keeps(outcome.endNanos() - outcome.arrivalNanos(), e2e)
        && (outcome.outputTokens() < 2 || keeps(decodeNanos / (outcome.outputTokens() - 1), tpot));
  }

  private static boolean keeps(long nanos, OptionalLong limit) {
    return limit.isEmpty() || nanos <= limit.getAsLong();
  }

  long requests() {
    return requests;
  }

  /// Completed requests within every bound.
  long good() {
    return good;
  }

  long lastArrivalNanos() {
    return lastArrivalNanos;
  }
}
