package io.fusespill.replay.explain;

/// What a sequence does at a time; it is in exactly one of these at each.
public enum Phase {
  /// In the waiting queue, without KV.
  WAITING,
  /// In steps that compute its prompt, or its tokens again.
  PREFILL,
  /// In steps that produce a token each.
  DECODE,
  /// Its KV lies in a place, and no step uses it.
  RESTING,
  /// An asynchronous transfer is under way. An ordered one is part of the step that it precedes.
  MOVING
}
