package io.fusespill.engine.event;

/// Why a sequence was preempted.
public enum PreemptionReason {
  OUT_OF_BLOCKS,
  STEP_FAILED,
  /// Another place can decode it while this one serves others.
  OFFLOADED,
  /// A policy left it where another, which has taken over, could not go on with it.
  POLICY_CHANGED
}
