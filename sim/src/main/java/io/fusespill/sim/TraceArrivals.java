package io.fusespill.sim;

import io.fusespill.traces.SeededRandom;
import io.fusespill.traces.TraceRequest;
import java.util.Iterator;

/// The arrivals of a trace: every request with as many samples as the run gives each, some given up
/// by their clients as the faults say.
final class TraceArrivals implements Iterator<Arrival> {

  private static final int MILLION = 1_000_000;

  private final Iterator<TraceRequest> requests;
  private final int samples;
  private final Faults faults;
  private final SeededRandom cancellations;
  private final TracePrompts prompts = new TracePrompts();

  TraceArrivals(Iterator<TraceRequest> requests, int samples, Faults faults, long seed) {
    this.requests = requests;
    this.samples = samples;
    this.faults = faults;
    this.cancellations = new SeededRandom(seed, "cancellations");
  }

  @Override
  public boolean hasNext() {
    return requests.hasNext();
  }

  @Override
  public Arrival next() {
    TraceRequest request = requests.next();
    return new Arrival(
        request.arrivalNanos(),
        request.promptTokens(),
        samples,
        Arrival.NO_MAXIMUM,
        request.declaredOutputTokens(),
        request.outputTokens(),
        patienceNanos(),
        prompts.of(request));
  }

  private long patienceNanos() {
    if (faults.cancellations() > 0 && cancellations.nextInt(1, MILLION) <= faults.cancellations()) {
      return 1 + Long.remainderUnsigned(cancellations.nextLong(), faults.cancelWithinNanos());
    }
    return Arrival.NEVER;
  }
}
