package io.fusespill.journal.live;

/// Places have failed, and none is left that can serve the requests that have not ended. Another
/// process can go on with them from the journal.
public final class NoDeviceException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public NoDeviceException(String message) {
    super(message);
  }
}
