package io.fusespill.traces;

import java.util.function.UnaryOperator;

/// Another reader's requests, each put through a function.
final class MappedTraceReader implements TraceReader {

  private final TraceReader source;
  private final UnaryOperator<TraceRequest> function;

  MappedTraceReader(TraceReader source, UnaryOperator<TraceRequest> function) {
    this.source = source;
    this.function = function;
  }

  @Override
  public boolean hasNext() {
    return source.hasNext();
  }

  @Override
  public TraceRequest next() {
    return function.apply(source.next());
  }

  @Override
  public long skipped() {
    return source.skipped();
  }

  @Override
  public String skippedReason() {
    return source.skippedReason();
  }

  @Override
  public long adjusted() {
    return source.adjusted();
  }

  @Override
  public void close() {
    source.close();
  }
}
