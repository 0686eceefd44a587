package io.fusespill.traces;

import java.util.NoSuchElementException;
import java.util.function.LongSupplier;

/// A trace that is drawn instead of read: the same for the same arguments on every machine.
public final class WorkloadGenerator implements TraceReader {

  private final LengthDistribution lengths;
  private final LengthFilter filter;
  private final SeededRandom random;
  private final LongSupplier arrivals;
  private long remaining;

  /// @param filter requests that do not fit are drawn again
  /// @param requests how many, 0 or more
  public WorkloadGenerator(
      LengthDistribution lengths,
      LengthFilter filter,
      ArrivalProcess arrivals,
      long requests,
      long seed) {
    Check.range("requests", requests, 0, Long.MAX_VALUE);
    this.lengths = lengths;
    this.filter = filter;
    this.random = new SeededRandom(seed, "lengths");
    this.arrivals = arrivals.start(seed);
    this.remaining = requests;
  }

  @Override
  public boolean hasNext() {
    return remaining > 0;
  }

  @Override
  public TraceRequest next() {
    if (remaining == 0) {
      throw new NoSuchElementException("all requests of the workload are drawn");
    }
    remaining--;
    LengthDistribution.Lengths drawn = fitting();
    return new TraceRequest(arrivals.getAsLong(), drawn.promptTokens(), drawn.outputTokens());
  }

  private LengthDistribution.Lengths fitting() {
    for (int refused = 0; refused < TraceLimits.MAX_REFUSED_DRAWS; refused++) {
      LengthDistribution.Lengths drawn = lengths.draw(random);
      if (filter.accepts(drawn.promptTokens(), drawn.outputTokens())) {
        return drawn;
      }
    }
    throw new TraceException(
        "%d requests in a row drawn from %s do not fit %s; widen the filter"
            .formatted(TraceLimits.MAX_REFUSED_DRAWS, lengths, filter));
  }
}
