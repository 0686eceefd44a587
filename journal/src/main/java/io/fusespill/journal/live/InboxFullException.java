package io.fusespill.journal.live;

/// The engine has more client inputs waiting than it may. Nothing was taken; later there may be
/// room.
public final class InboxFullException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public InboxFullException(String message) {
    super(message);
  }
}
