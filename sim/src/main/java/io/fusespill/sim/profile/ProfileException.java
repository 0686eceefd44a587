package io.fusespill.sim.profile;

import java.io.Serial;

/// A profile that cannot be used. The message says which value, what is legal, and how to mend it.
public final class ProfileException extends IllegalArgumentException {

  @Serial private static final long serialVersionUID = 1L;

  public ProfileException(String message) {
    super(message);
  }

  public ProfileException(String message, Throwable cause) {
    super(message, cause);
  }
}
