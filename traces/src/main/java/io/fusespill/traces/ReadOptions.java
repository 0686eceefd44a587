package io.fusespill.traces;

/// What to take from a trace file.
///
/// @param limit requests at most, 1 or more
/// @param skipInvalid whether rows that are no request (malformed, zero tokens) are counted and
///   skipped instead of ending the read; time that goes back ends it in any case
/// @param lengths rows that do not fit are counted and skipped
public record ReadOptions(long limit, boolean skipInvalid, LengthFilter lengths) {

  /// The whole file, and every row must be good.
  public static final ReadOptions ALL = new ReadOptions(Long.MAX_VALUE, false, LengthFilter.NONE);

  public ReadOptions {
    Check.range("limit", limit, 1, Long.MAX_VALUE);
  }

  public ReadOptions withLimit(long limit) {
    return new ReadOptions(limit, skipInvalid, lengths);
  }

  public ReadOptions withSkipInvalid(boolean skipInvalid) {
    return new ReadOptions(limit, skipInvalid, lengths);
  }

  public ReadOptions withLengths(LengthFilter lengths) {
    return new ReadOptions(limit, skipInvalid, lengths);
  }
}
