package io.fusespill.host.checkpoint;

/// A checkpoint that cannot be used. The message is one line for the user: what is wrong, in which
/// file, and what would mend it.
public final class CheckpointException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public CheckpointException(String message) {
    super(message);
  }

  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
