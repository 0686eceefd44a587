package io.fusespill.journal;

/// The engine has stopped because something behind it failed; the cause is that failure.
public final class EngineStoppedException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public EngineStoppedException(String message, Throwable cause) {
    super(message, cause);
  }

  /// The same failure, met by another caller.
  public EngineStoppedException(EngineStoppedException first) {
    super(first.getMessage(), first.getCause());
  }
}
