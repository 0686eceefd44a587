package io.fusespill.engine.event;

/// Why a sequence was preempted.
public enum PreemptionReason {
  OUT_OF_BLOCKS,
  STEP_FAILED
}
