package io.fusespill.engine.policy;

import org.jspecify.annotations.Nullable;

/// A policy or an option of one that is not valid. The message names the value and what is legal.
public final class PolicyException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  private final @Nullable String option;

  public PolicyException(String message) {
    this(message, null);
  }

  /// @param option the option at fault
  PolicyException(String message, @Nullable String option) {
    super(message);
    this.option = option;
  }

  /// Name of the option whose value is not legal; null where that is not the problem.
  public @Nullable String option() {
    return option;
  }
}
