package io.fusespill.replay.timeline;

import io.fusespill.engine.plan.StepPlan;
import org.jspecify.annotations.Nullable;

/// A step and the time that its device was at work on it.
///
/// @param startNanos where nobody says how long the device was at work: when the step was planned,
///   or when the one before it was done, if that is later
/// @param busyNanos how long its device says that it was at work on it; 0 where it does not
/// @param prefills entries that compute more than the next token
/// @param prefillTokens tokens that those compute
/// @param freeBlocks blocks of the device's pool that were free once the step had its own
/// @param failure why it came to nothing; null where it did not
public record StepSpan(
    StepPlan plan,
    long plannedNanos,
    long startNanos,
    long endNanos,
    long busyNanos,
    int prefills,
    int prefillTokens,
    int freeBlocks,
    @Nullable String failure) {

  /// Entries that extend KV by one token, those that a host attends for included.
  public int decodes() {
    return plan.size() - prefills;
  }

  public long nanos() {
    return endNanos - startNanos;
  }
}
