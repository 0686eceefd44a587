package io.fusespill.engine.metrics;

/// Hears every latency as soon as it is known, in nanoseconds.
public interface LatencyListener {

  /// From a request's arrival at the engine to its first token.
  void timeToFirstToken(long nanos);

  /// Between two tokens of one sequence, for `count` sequences alike.
  void interToken(long nanos, int count);

  /// A finished sequence's mean time per output token after the first.
  ///
  /// @param preempted whether it was preempted at least once
  void timePerOutputToken(long nanos, boolean preempted);

  /// A request has ended.
  void ended(RequestOutcome outcome);
}
