package io.fusespill.learn;

import io.fusespill.traces.TraceException;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceRequest;

/// Requests with text as a trace, whose declared lengths are what a [LengthModel] predicts. Closing
/// closes the requests' reader.
public final class DeclaringTraceReader implements TraceReader {

  private final TextRequestReader requests;
  private final LengthModel model;
  private boolean begun;
  private boolean timed;
  private long firstNanos;
  private long lastNanos;

  public DeclaringTraceReader(TextRequestReader requests, LengthModel model) {
    this.requests = requests;
    this.model = model;
  }

  @Override
  public boolean hasNext() {
    return requests.hasNext();
  }

  @Override
  public TraceRequest next() {
    TextRequest request = requests.next();
    return new TraceRequest(arrivalNanos(request), request.promptTokens(), request.outputTokens())
        .declaring(model.outputTokens(request));
  }

  private long arrivalNanos(TextRequest request) {
    Long given = request.arrivalNanos();
    long nanos = given == null ? 0 : given;
    if (!begun) {
      begun = true;
      timed = given != null;
      firstNanos = nanos;
      lastNanos = nanos;
    }
    if (timed != (given != null)) {
      throw new TraceException(
          "%s: an arrival in some rows and not in others, must be in all or none"
              .formatted(requests.place()));
    }
    if (nanos < lastNanos) {
      throw new TraceException(
          "%s: arrival is %s s, must not be before the %s s of the row before; sort the file by it"
              .formatted(requests.place(), nanos / 1e9, lastNanos / 1e9));
    }
    lastNanos = nanos;
    return nanos - firstNanos;
  }

  @Override
  public long skipped() {
    return requests.skipped();
  }

  @Override
  public String skippedReason() {
    return requests.skippedReason();
  }

  @Override
  public void close() {
    requests.close();
  }
}
