package io.fusespill.cli;

import org.jspecify.annotations.Nullable;

/// Something that the user asked for is not possible. The message says what, and the mend.
final class UsageException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  UsageException(String message) {
    super(message);
  }

  UsageException(@Nullable String message, Throwable cause) {
    super(message, cause);
  }
}
