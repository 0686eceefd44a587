package io.fusespill.engine.metrics;

import io.fusespill.engine.event.RejectionReason;

/// Rejected requests by reason.
final class RejectionCounts {

  private final long[] counts = new long[RejectionReason.values().length];
  private long total;

  void add(RejectionReason reason) {
    counts[reason.ordinal()]++;
    total++;
  }

  long of(RejectionReason reason) {
    return counts[reason.ordinal()];
  }

  long total() {
    return total;
  }
}
