package io.fusespill.learn;

/// A model that cannot be trained, read or written. The message names the value, what is legal and
/// the mend.
public final class LengthModelException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  LengthModelException(String message) {
    super(message);
  }

  LengthModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
