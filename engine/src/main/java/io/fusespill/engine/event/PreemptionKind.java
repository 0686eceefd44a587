package io.fusespill.engine.event;

/// How a preempted sequence's KV is handled.
public enum PreemptionKind {
  RECOMPUTE,
  SWAP,
  OFFLOAD
}
