package io.fusespill.engine.event;

/// Why a sequence ended.
public enum FinishReason {
  /// The model ended it.
  STOP,
  /// It reached its maximum of output tokens or the model's of all tokens.
  LENGTH,
  CANCELLED,
  /// Its steps or transfers failed `maxAttempts` times in a row.
  FAILED
}
