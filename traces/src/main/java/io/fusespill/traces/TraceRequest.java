package io.fusespill.traces;

import java.util.Arrays;

/// One request of a trace.
///
/// @param arrivalNanos when it arrives, counted from the first request of the trace, 0 or more
/// @param promptTokens tokens of its prompt, 1 to [TraceLimits#MAX_TOKENS]
/// @param outputTokens tokens that it generates, 1 to [TraceLimits#MAX_TOKENS]
/// @param prefixHashes ids of the parts of its prompt from the front, empty where the format has
///   none: two prompts that begin with the same ids begin with the same tokens. What a part is
///   depends on the format (Mooncake: a block of 512 tokens). Shared, not copied: do not change it.
@SuppressWarnings("ArrayRecordComponent") // Read only, and compared by content below.
public record TraceRequest(
    long arrivalNanos, int promptTokens, int outputTokens, long[] prefixHashes) {

  static final long[] NO_HASHES = {};

  public TraceRequest {
    Check.range("arrivalNanos", arrivalNanos, 0, Long.MAX_VALUE);
    Check.range("promptTokens", promptTokens, 1, TraceLimits.MAX_TOKENS);
    Check.range("outputTokens", outputTokens, 1, TraceLimits.MAX_TOKENS);
  }

  /// A request that shares nothing.
  public TraceRequest(long arrivalNanos, int promptTokens, int outputTokens) {
    this(arrivalNanos, promptTokens, outputTokens, NO_HASHES);
  }

  /// This request at another time.
  public TraceRequest at(long arrivalNanos) {
    return new TraceRequest(arrivalNanos, promptTokens, outputTokens, prefixHashes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TraceRequest that
        && arrivalNanos == that.arrivalNanos
        && promptTokens == that.promptTokens
        && outputTokens == that.outputTokens
        && Arrays.equals(prefixHashes, that.prefixHashes);
  }

  @Override
  public int hashCode() {
    int hash = Long.hashCode(arrivalNanos);
    hash = 31 * hash + promptTokens;
    hash = 31 * hash + outputTokens;
    return 31 * hash + Arrays.hashCode(prefixHashes);
  }

  @Override
  public String toString() {
    return "TraceRequest[arrivalNanos=%d, promptTokens=%d, outputTokens=%d, prefixHashes=%s]"
        .formatted(arrivalNanos, promptTokens, outputTokens, Arrays.toString(prefixHashes));
  }
}
