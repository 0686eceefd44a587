package io.fusespill.sweep;

import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceRequest;
import java.util.NoSuchElementException;

/// The requests that one of several replicas gets when they are dealt in turn.
final class DealtReader implements TraceReader {

  private final TraceReader all;
  private final int replicas;
  private long skip;

  /// @param replica from 0
  DealtReader(TraceReader all, int replicas, int replica) {
    this.all = all;
    this.replicas = replicas;
    this.skip = replica;
  }

  @Override
  public boolean hasNext() {
    for (; skip > 0 && all.hasNext(); skip--) {
      all.next();
    }
    return all.hasNext();
  }

  @Override
  public TraceRequest next() {
    if (!hasNext()) {
      throw new NoSuchElementException("no request is left");
    }
    skip = replicas - 1L;
    return all.next();
  }

  @Override
  public long skipped() {
    return all.skipped();
  }

  @Override
  public void close() {
    all.close();
  }
}
