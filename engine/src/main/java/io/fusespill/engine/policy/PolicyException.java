package io.fusespill.engine.policy;

/// A policy or an option of one that is not valid. The message names the value and what is legal.
public final class PolicyException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  public PolicyException(String message) {
    super(message);
  }
}
