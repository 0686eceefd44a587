package io.fusespill.replay.evaluate;

/// What a row is to the others of its table.
public enum Standing {
  /// Is compared with the best baseline.
  CONTENDER,
  /// A candidate for the best that the same hardware does without us.
  BASELINE,
  /// Shown for orientation: it has what nobody has, or lacks what everybody has.
  BOUND
}
