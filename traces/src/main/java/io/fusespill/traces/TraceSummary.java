package io.fusespill.traces;

/// What a trace is like, from one pass over it.
///
/// @param durationNanos from the first arrival to the last
/// @param requestsPerSecond the mean rate of the gaps: gaps by duration; NaN where all arrive at
///   one instant
/// @param interArrivalCv standard deviation of the gaps between arrivals by their mean: 1 for
///   Poisson, more is burstier; 0 where there are no gaps
/// @param declared how well the declared lengths agree with the outputs, over the requests that
///   declare one
/// @param skipped rows that the reader left out
/// @param adjusted rows whose arrival the reader corrected
public record TraceSummary(
    long requests,
    long durationNanos,
    double requestsPerSecond,
    TokenSummary prompt,
    TokenSummary output,
    double interArrivalCv,
    LengthAccuracy.Summary declared,
    long skipped,
    long adjusted) {

  /// Share of the requests that declare a length, 0 for no requests.
  public double declaredShare() {
    return requests == 0 ? 0 : (double) declared.requests() / requests;
  }

  private static final double SECOND_NANOS = 1e9;

  /// Reads `trace` to its end; its owner closes it.
  public static TraceSummary of(TraceReader trace) {
    TokenHistogram prompt = new TokenHistogram();
    TokenHistogram output = new TokenHistogram();
    LengthAccuracy declared = new LengthAccuracy();
    Gaps gaps = new Gaps();
    long requests = 0;
    long last = 0;
    while (trace.hasNext()) {
      TraceRequest request = trace.next();
      prompt.add(request.promptTokens());
      output.add(request.outputTokens());
      if (request.declares()) {
        declared.add(request.declaredOutputTokens(), request.outputTokens());
      }
      if (requests > 0) {
        gaps.add(request.arrivalNanos() - last);
      }
      last = request.arrivalNanos();
      requests++;
    }
    return new TraceSummary(
        requests,
        last,
        last == 0 ? Double.NaN : (requests - 1) * SECOND_NANOS / last,
        prompt.summary(),
        output.summary(),
        gaps.variation(),
        declared.summary(),
        trace.skipped(),
        trace.adjusted());
  }

  /// Mean and deviation of the gaps in one pass (B. P. Welford, Technometrics 4(3), 1962).
  private static final class Gaps {

    private long count;
    private double mean;
    private double squares;

    void add(long nanos) {
      count++;
      double distance = nanos - mean;
      mean += distance / count;
      squares += distance * (nanos - mean);
    }

    double variation() {
      return mean == 0 ? 0 : Math.sqrt(squares / count) / mean;
    }
  }
}
