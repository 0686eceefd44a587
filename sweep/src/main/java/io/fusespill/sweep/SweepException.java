package io.fusespill.sweep;

/// A sweep that cannot be run or gone on with. The message says what is in the way, and the mend.
public final class SweepException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public SweepException(String message) {
    super(message);
  }

  public SweepException(String message, Throwable cause) {
    super(message, cause);
  }
}
