package io.fusespill.live;

/// What somebody asked of a live run cannot be had. The message is one line for the user.
public final class LiveException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public LiveException(String message) {
    super(message);
  }

  public LiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
