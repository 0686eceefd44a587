package io.fusespill.journal;

/// A journal that cannot be written or read. The message is one line and names the journal and what
/// was found.
public final class JournalException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public JournalException(String message) {
    super(message);
  }

  public JournalException(String message, Throwable cause) {
    super(message, cause);
  }
}
