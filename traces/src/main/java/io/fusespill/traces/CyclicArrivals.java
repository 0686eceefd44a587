package io.fusespill.traces;

import java.util.List;
import java.util.function.LongSupplier;

/// Arrivals whose rate goes through the same steps again and again; with one endless step the rate
/// is constant.
///
/// The gaps are gamma-distributed with mean 1 in expected arrivals, which the rate then stretches
/// into time: E. Çinlar, "Introduction to Stochastic Processes", 1975, the time change that turns a
/// process of rate 1 into one of any rate. So a step of rate 0 costs nothing to cross.
///
/// @param steps 1 to [#STEPS_MAX], the first with a rate above 0, as the first request arrives
///   there
/// @param burstiness the shape of the gaps, 1 for Poisson, 0.001 to 1,000
record CyclicArrivals(List<Step> steps, double burstiness) implements ArrivalProcess {

  static final int STEPS_MAX = 10_000;

  private static final double SECOND_NANOS = 1e9;

  CyclicArrivals {
    steps = List.copyOf(steps);
    Check.range("steps", steps.size(), 1, STEPS_MAX);
    Check.rate(steps.getFirst().rate(), RATE_MAX);
    Check.range("burstiness", burstiness, 0.001, 1_000);
  }

  /// A time of constant rate.
  ///
  /// @param nanos its length, 1 or more
  /// @param rate requests per second, 0 to 1,000,000
  record Step(long nanos, double rate) {

    Step {
      Check.range("nanos of a step", nanos, 1, Long.MAX_VALUE);
      Check.range("rate", rate, 0, RATE_MAX);
    }
  }

  @Override
  public LongSupplier start(long seed) {
    return new Run(new SeededRandom(seed, "arrivals"));
  }

  private final class Run implements LongSupplier {

    private final SeededRandom random;
    private boolean started;
    private long now;
    private int index;
    private long left = steps.getFirst().nanos();

    Run(SeededRandom random) {
      this.random = random;
    }

    @Override
    public long getAsLong() {
      if (!started) {
        started = true;
        return 0;
      }
      double due = random.nextGamma(burstiness);
      double expected = expected();
      while (due >= expected) {
        due -= expected;
        pass(left);
        index = (index + 1) % steps.size();
        left = steps.get(index).nanos();
        expected = expected();
      }
      pass(Math.min(left, Math.round(due / steps.get(index).rate() * SECOND_NANOS)));
      return now;
    }

    /// Arrivals to expect in the rest of this step.
    private double expected() {
      return steps.get(index).rate() * (left / SECOND_NANOS);
    }

    private void pass(long nanos) {
      if (nanos > Long.MAX_VALUE - now) {
        throw new TraceException(
            "an arrival later than 2^63 ns; use a higher rate or fewer requests");
      }
      now += nanos;
      left -= nanos;
    }
  }
}
