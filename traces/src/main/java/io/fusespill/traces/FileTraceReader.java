package io.fusespill.traces;

import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/// A trace in a file: what all formats have in common. A format says what one line means.
abstract class FileTraceReader implements TraceReader {

  private final LineReader lines;
  private final ReadOptions options;
  private long remaining;
  private boolean empty = true;
  private @Nullable TraceRequest next;
  private Row.@Nullable Arrival first;
  private Row.@Nullable Arrival previous;
  private long skipped;
  private String skippedReason = "";

  FileTraceReader(LineReader lines, ReadOptions options) {
    this.lines = lines;
    this.options = options;
    this.remaining = options.limit();
  }

  /// The row on the current line, or what [#skip] returns. Throws [InvalidRowException].
  abstract @Nullable Row parse(LineReader line);

  @Override
  public final boolean hasNext() {
    if (next == null && remaining > 0) {
      next = readRequest();
    }
    return next != null;
  }

  @Override
  public final TraceRequest next() {
    if (!hasNext() || next == null) {
      throw new NoSuchElementException("the trace %s is at its end".formatted(lines.file()));
    }
    TraceRequest request = next;
    next = null;
    remaining--;
    return request;
  }

  private @Nullable TraceRequest readRequest() {
    Row row = readRow();
    if (row == null) {
      remaining = 0;
      return null;
    }
    if (first == null) {
      first = row.arrival();
    }
    return new TraceRequest(
        row.arrival().nanos() - first.nanos(),
        row.promptTokens(),
        row.outputTokens(),
        row.declaredOutputTokens(),
        row.tokensPerHash(),
        row.prefixHashes());
  }

  /// The next row that is to be kept, null at the end.
  private @Nullable Row readRow() {
    while (lines.advance()) {
      empty = false;
      Row row = parseOrSkip();
      if (row != null) {
        checkOrder(row.arrival());
        previous = row.arrival();
        return row;
      }
    }
    if (empty) {
      throw new TraceException("%s: holds no row, must hold a trace".formatted(lines.file()));
    }
    return null;
  }

  private void checkOrder(Row.Arrival arrival) {
    if (previous == null) {
      return;
    }
    if (arrival.given() != previous.given()) {
      throw new TraceException(
          "%s: an arrival in some rows and not in others, must be in all or none"
              .formatted(lines.place()));
    }
    if (arrival.nanos() < previous.nanos()) {
      throw new TraceException(
          "%s: %s is %s, must not be before the %s of the row before; sort the file by %s"
              .formatted(
                  lines.place(),
                  arrival.field(),
                  arrival.text(),
                  previous.text(),
                  arrival.field()));
    }
  }

  private @Nullable Row parseOrSkip() {
    try {
      Row row = parse(lines);
      return row == null || options.lengths().accepts(row.promptTokens(), row.outputTokens())
          ? row
          : skip(
              "%d prompt and %d output tokens are longer than %s"
                  .formatted(row.promptTokens(), row.outputTokens(), options.lengths()));
    } catch (InvalidRowException e) {
      if (options.skipInvalid()) {
        return skip(e.getMessage());
      }
      throw new TraceException(
          "%s: %s; mend the row or leave such rows out with --skip-invalid, skip-invalid: true in a specification"
              .formatted(lines.place(), e.getMessage()),
          e);
    }
  }

  /// Leaves the current row out.
  final @Nullable Row skip(@Nullable String reason) {
    if (skipped++ == 0) {
      skippedReason = "%s: %s".formatted(lines.place(), reason);
    }
    return null;
  }

  @Override
  public final long skipped() {
    return skipped;
  }

  @Override
  public final String skippedReason() {
    return skippedReason;
  }

  @Override
  public final void close() {
    lines.close();
  }
}
