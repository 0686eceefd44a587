package io.fusespill.engine.state;

/// Where a sequence stands.
public enum SequenceStatus {
  /// In the waiting queue, without KV.
  WAITING,
  /// Resident in a computing place.
  RUNNING,
  /// Resident in a place without compute.
  SWAPPED,
  /// Between two places; its blocks on both sides are pinned.
  TRANSFERRING,
  /// Ended; nothing is held.
  FINISHED
}
