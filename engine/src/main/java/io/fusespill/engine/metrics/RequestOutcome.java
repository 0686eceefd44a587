package io.fusespill.engine.metrics;

/// How one request went. Times are nanoseconds since the run's start; a time that never came is -1.
///
/// @param firstTokenNanos when the first of its samples had a token
/// @param endNanos when the last of its samples had its last token, though steps that ran ahead may
///   have held its blocks longer; where it did not complete, when it was given up
/// @param outputTokens over all samples
public record RequestOutcome(
    int request,
    Ending ending,
    long arrivalNanos,
    long firstTokenNanos,
    long endNanos,
    int promptTokens,
    int outputTokens,
    int samples,
    int preemptions) {

  /// How a request ended; each ends in exactly one of these ways.
  public enum Ending {
    COMPLETED,
    REJECTED,
    CANCELLED,
    FAILED
  }
}
