package io.fusespill.replay.timeline;

import io.fusespill.engine.plan.TransferPlan;
import org.jspecify.annotations.Nullable;

/// A transfer and the time that it had its link.
///
/// An asynchronous transfer starts when it was planned, or when the channel's last one was done, if
/// that is later. An ordered one runs in front of its step, whose events do not say how long the
/// copies took: its end is what the link's bandwidth comes to, before the device was at work.
///
/// @param link index in the topology's links
/// @param estimated whether `endNanos` is computed from the bandwidth
/// @param failure why it came to nothing; null where it did not
public record TransferSpan(
    TransferPlan plan,
    int link,
    long bytes,
    long plannedNanos,
    long startNanos,
    long endNanos,
    boolean estimated,
    @Nullable String failure) {

  public long nanos() {
    return endNanos - startNanos;
  }
}
