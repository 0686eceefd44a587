package io.fusespill.engine;

/// An input that does not fit the engine's state. The engine is unchanged.
public final class InputException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  public InputException(String message) {
    super(message);
  }
}
