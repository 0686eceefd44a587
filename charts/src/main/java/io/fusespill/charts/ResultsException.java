package io.fusespill.charts;

/// Results that no figure can be drawn from. The message names the file and what is missing.
public final class ResultsException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  ResultsException(String message) {
    super(message);
  }

  ResultsException(String message, Throwable cause) {
    super(message, cause);
  }
}
