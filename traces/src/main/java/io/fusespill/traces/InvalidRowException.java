package io.fusespill.traces;

/// A row that is no request. [FileTraceReader] catches it and either skips the row or says in a
/// [TraceException] where it stands.
final class InvalidRowException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  InvalidRowException(String message) {
    super(message, null, false, false);
  }
}
