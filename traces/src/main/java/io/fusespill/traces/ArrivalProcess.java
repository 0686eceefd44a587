package io.fusespill.traces;

import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/// How requests arrive; rates are in requests per second, above 0 and up to 1,000,000. The first
/// request of a run arrives at 0.
public sealed interface ArrivalProcess permits AtOnceArrivals, CyclicArrivals {

  /// The highest rate, in requests per second.
  double RATE_MAX = 1e6;

  /// The arrival times of one run in nanoseconds, none before its predecessor, the same for the
  /// same seed.
  LongSupplier start(long seed);

  /// All requests at 0.
  static ArrivalProcess atOnce() {
    return new AtOnceArrivals();
  }

  /// Independent requests at a constant rate.
  static ArrivalProcess poisson(double rate) {
    return gamma(rate, 1);
  }

  /// Gamma-distributed gaps like vLLM's `--request-rate` and `--burstiness`: shape = burstiness,
  /// scale = 1 / (rate · burstiness).
  ///
  /// @param burstiness 1 is Poisson, less is burstier, more is more even; 0.001 to 1,000
  static ArrivalProcess gamma(double rate, double burstiness) {
    Check.rate(rate, RATE_MAX);
    return new CyclicArrivals(List.of(new CyclicArrivals.Step(Long.MAX_VALUE, rate)), burstiness);
  }

  /// A square wave: Poisson at `onRate` for `onNanos`, then at `offRate`, which may be 0, for
  /// `offNanos`, and again.
  static ArrivalProcess onOff(double onRate, long onNanos, double offRate, long offNanos) {
    Check.rate(onRate, RATE_MAX);
    return new CyclicArrivals(
        List.of(
            new CyclicArrivals.Step(onNanos, onRate), new CyclicArrivals.Step(offNanos, offRate)),
        1);
  }

  /// Poisson arrivals whose rate swings as a sine around `rate`, rising first, in 96 steps a period
  /// (the quarter hours of a day).
  ///
  /// @param amplitude the swing as a share of `rate`, 0 to 1
  static ArrivalProcess sinusoidal(double rate, double amplitude, long periodNanos) {
    Check.range("amplitude", amplitude, 0, 1);
    return weighted(
        rate,
        IntStream.range(0, 96)
            .mapToDouble(step -> 1 + amplitude * StrictMath.sin(2 * Math.PI * (step + 0.5) / 96))
            .toArray(),
        periodNanos);
  }

  /// Poisson arrivals whose rate is `rate` on average and in each of the equal parts of a period
  /// proportional to its weight: 24 weights are the hours of a day.
  static ArrivalProcess weighted(double rate, double[] weights, long periodNanos) {
    Check.rate(rate, RATE_MAX);
    Check.range("weights", weights.length, 1, CyclicArrivals.STEPS_MAX);
    long stepNanos = periodNanos / weights.length;
    double scale = rate * weights.length / Arrays.stream(weights).sum();
    return new CyclicArrivals(
        Arrays.stream(weights)
            .mapToObj(weight -> new CyclicArrivals.Step(stepNanos, weight * scale))
            .toList(),
        1);
  }
}
