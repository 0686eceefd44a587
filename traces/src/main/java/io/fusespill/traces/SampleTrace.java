package io.fusespill.traces;

import java.io.InputStream;

/// The trace that comes with the program: 600 requests as long as ShareGPT's under the filter of
/// the FuseSpill paper, Poisson at 4 a second.
public final class SampleTrace {

  private static final String RESOURCE = "sample.csv";
  private static final long REQUESTS = 600;
  private static final double RATE = 4;
  private static final long SEED = 42;

  private SampleTrace() {}

  /// Reads it from the program's own resources.
  public static TraceReader open(ReadOptions options) {
    InputStream in = SampleTrace.class.getResourceAsStream(RESOURCE);
    if (in == null) {
      throw new IllegalStateException("no resource %s in the traces module".formatted(RESOURCE));
    }
    return TraceFormat.LENGTHS.open(new LineReader(RESOURCE, in), options);
  }

  /// Draws it anew, request for request the same.
  public static WorkloadGenerator generate() {
    return new WorkloadGenerator(
        PublishedLengths.SHAREGPT,
        LengthFilter.FUSESPILL_PAPER,
        ArrivalProcess.poisson(RATE),
        REQUESTS,
        SEED);
  }
}
