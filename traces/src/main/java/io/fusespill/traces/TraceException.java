package io.fusespill.traces;

/// A trace that cannot be read, written or told apart. The message names the file, the line and the
/// field, the offending value, what is legal and the mend.
public final class TraceException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public TraceException(String message) {
    super(message);
  }

  public TraceException(String message, Throwable cause) {
    super(message, cause);
  }
}
