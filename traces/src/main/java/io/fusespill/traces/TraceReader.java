package io.fusespill.traces;

import java.util.Iterator;
import java.util.function.LongSupplier;

/// A stream of requests in time order, read as it is asked for.
///
/// The first request arrives at 0 and no request before its predecessor. `hasNext` and `next` throw
/// a [TraceException] where the source is malformed. Not thread-safe.
public interface TraceReader extends Iterator<TraceRequest>, AutoCloseable {

  /// Rows left out on purpose so far.
  default long skipped() {
    return 0;
  }

  /// Where and why the first row was left out; empty while none was.
  default String skippedReason() {
    return "";
  }

  /// Rows so far whose arrival was corrected, where the format is known to need it.
  default long adjusted() {
    return 0;
  }

  @Override
  default void close() {}

  /// The requests of `reader` at the times of `process`; its own times are dropped. Closing closes
  /// `reader`.
  static TraceReader withArrivals(TraceReader reader, ArrivalProcess process, long seed) {
    LongSupplier times = process.start(seed);
    return new MappedTraceReader(reader, request -> request.at(times.getAsLong()));
  }

  /// The requests of `reader` at `factor` times their rate: 2 halves every time between them.
  /// Closing closes `reader`.
  ///
  /// @param factor 0.000001 to 1,000,000
  static TraceReader rateScaled(TraceReader reader, double factor) {
    Check.range("factor", factor, 1e-6, 1e6);
    return new MappedTraceReader(
        reader, request -> request.at(scaled(request.arrivalNanos(), factor)));
  }

  private static long scaled(long nanos, double factor) {
    double scaled = nanos / factor;
    if (scaled >= 0x1p63) {
      throw new TraceException(
          "%d ns at %s times the rate would be %s ns, must be below 2^63; scale by more"
              .formatted(nanos, factor, scaled));
    }
    return Math.round(scaled);
  }
}
