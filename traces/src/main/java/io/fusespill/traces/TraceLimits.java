package io.fusespill.traces;

/// Every limit of this module, with its name.
public final class TraceLimits {

  /// The most tokens in one prompt or one output.
  public static final int MAX_TOKENS = 10_000_000;

  /// The longest line, in bytes: room for the ids of four million tokens.
  public static final int MAX_LINE_BYTES = 1 << 25;

  /// The most drawn requests in a row that a [LengthFilter] may refuse before a generator gives up.
  public static final int MAX_REFUSED_DRAWS = 1_000_000;

  private TraceLimits() {}
}
