package io.fusespill.engine.plan;

/// When a transfer's copies run.
public enum TransferMode {
  /// On the device's own stream before its next step, and done when that step is. Blocks given up
  /// on that device may be used by the very same step.
  ORDERED,
  /// On its own; `TransferCompleted` tells when it is done. Until then its source and target blocks
  /// stay pinned.
  ASYNC
}
