package io.fusespill.journal;

/// What a journal promises about an event before anything acts on it.
public enum Durability {
  /// Nothing is kept.
  NONE,
  /// The event is in the mapped file: it survives the death of the process, not of the machine.
  ASYNC,
  /// The event is on storage: it survives a loss of power.
  SYNC
}
