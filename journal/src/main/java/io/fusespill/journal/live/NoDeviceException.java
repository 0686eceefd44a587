package io.fusespill.journal.live;

/// All places that compute have failed, and requests have not ended. Another process can go on with
/// them from the journal.
public final class NoDeviceException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public NoDeviceException(String message) {
    super(message);
  }
}
