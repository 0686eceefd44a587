package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;

/// From the end of a step to the start of one that was planned in answer to it: telling the
/// scheduler, deciding, journaling, describing and launching, some of it sequence by sequence.
///
/// @param nanos of any step, 0 to 60 s
/// @param nanosPerSequence of each of the planned step's sequences besides, 0 to 60 s
public record SubmitLatency(long nanos, long nanosPerSequence) {

  public static final SubmitLatency NONE = new SubmitLatency(0, 0);

  private static final long NANOS_MAX = 60_000_000_000L;

  public SubmitLatency {
    Check.range("submitNanos", nanos, 0, NANOS_MAX);
    Check.range("submitNanosPerSequence", nanosPerSequence, 0, NANOS_MAX);
  }

  /// The same for every step.
  public static SubmitLatency ofNanos(long nanos) {
    return new SubmitLatency(nanos, 0);
  }

  public boolean isNone() {
    return nanos == 0 && nanosPerSequence == 0;
  }

  /// Nanoseconds in front of a step of so many sequences.
  public long of(int sequences) {
    return nanos + sequences * nanosPerSequence;
  }
}
