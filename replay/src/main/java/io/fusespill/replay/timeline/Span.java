package io.fusespill.replay.timeline;

/// A part of a run's time.
///
/// @param fromNanos at least 0
/// @param untilNanos after `fromNanos`
public record Span(long fromNanos, long untilNanos) {

  /// The whole run, however long.
  public static final Span ALL = new Span(0, Long.MAX_VALUE);

  public Span {
    if (fromNanos < 0 || untilNanos <= fromNanos) {
      throw new IllegalArgumentException(
          "a span from %d to %d ns: it begins at 0 or later and ends after that"
              .formatted(fromNanos, untilNanos));
    }
  }

  boolean contains(long atNanos) {
    return atNanos >= fromNanos && atNanos < untilNanos;
  }
}
