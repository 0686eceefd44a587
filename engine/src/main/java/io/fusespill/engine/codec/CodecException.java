package io.fusespill.engine.codec;

/// Bytes that are not an event: torn, altered, or of a type or version unknown here.
public final class CodecException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public CodecException(String message) {
    super(message);
  }
}
