package io.fusespill.traces;

import java.util.Arrays;

/// One request of a trace.
///
/// @param arrivalNanos when it arrives, counted from the first request of the trace, 0 or more
/// @param promptTokens tokens of its prompt, 1 to [TraceLimits#MAX_TOKENS]
/// @param outputTokens tokens that it generates, 1 to [TraceLimits#MAX_TOKENS]
/// @param declaredOutputTokens tokens that its client or a predictor said it would generate, 1 to
///   [TraceLimits#MAX_TOKENS]; 0 where nobody said anything
/// @param tokensPerHash prompt tokens that a prefix hash stands for, the last perhaps for fewer, 1
///   or more; 0 where there are none, or their parts are of any length
/// @param prefixHashes ids of the parts of its prompt from the front, empty where the format has
///   none: two prompts that begin with the same ids begin with the same tokens. Where a part has a
///   length there is one for all of the prompt. Shared, not copied: do not change it.
@SuppressWarnings("ArrayRecordComponent") // Read only, and compared by content below.
public record TraceRequest(
    long arrivalNanos,
    int promptTokens,
    int outputTokens,
    int declaredOutputTokens,
    int tokensPerHash,
    long[] prefixHashes) {

  static final long[] NO_HASHES = {};

  public TraceRequest {
    Check.range("arrivalNanos", arrivalNanos, 0, Long.MAX_VALUE);
    Check.range("promptTokens", promptTokens, 1, TraceLimits.MAX_TOKENS);
    Check.range("outputTokens", outputTokens, 1, TraceLimits.MAX_TOKENS);
    Check.range("declaredOutputTokens", declaredOutputTokens, 0, TraceLimits.MAX_TOKENS);
    Check.range("tokensPerHash", tokensPerHash, 0, TraceLimits.MAX_TOKENS);
    if (tokensPerHash > 0) {
      int parts = Math.ceilDiv(promptTokens, tokensPerHash);
      Check.range("number of prefixHashes", prefixHashes.length, parts, parts);
    }
  }

  /// A request that declares nothing, and whose prompt's parts are of any length.
  public TraceRequest(long arrivalNanos, int promptTokens, int outputTokens, long[] prefixHashes) {
    this(arrivalNanos, promptTokens, outputTokens, 0, 0, prefixHashes);
  }

  /// A request that declares and shares nothing.
  public TraceRequest(long arrivalNanos, int promptTokens, int outputTokens) {
    this(arrivalNanos, promptTokens, outputTokens, NO_HASHES);
  }

  /// This request at another time.
  public TraceRequest at(long arrivalNanos) {
    return new TraceRequest(
        arrivalNanos,
        promptTokens,
        outputTokens,
        declaredOutputTokens,
        tokensPerHash,
        prefixHashes);
  }

  /// This request with another declared length, or with 0 for none.
  public TraceRequest declaring(int declaredOutputTokens) {
    return new TraceRequest(
        arrivalNanos,
        promptTokens,
        outputTokens,
        declaredOutputTokens,
        tokensPerHash,
        prefixHashes);
  }

  /// Whether somebody said how long its output would be.
  public boolean declares() {
    return declaredOutputTokens > 0;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TraceRequest that
        && arrivalNanos == that.arrivalNanos
        && promptTokens == that.promptTokens
        && outputTokens == that.outputTokens
        && declaredOutputTokens == that.declaredOutputTokens
        && tokensPerHash == that.tokensPerHash
        && Arrays.equals(prefixHashes, that.prefixHashes);
  }

  @Override
  public int hashCode() {
    int hash = Long.hashCode(arrivalNanos);
    hash = 31 * hash + promptTokens;
    hash = 31 * hash + outputTokens;
    hash = 31 * hash + declaredOutputTokens;
    hash = 31 * hash + tokensPerHash;
    return 31 * hash + Arrays.hashCode(prefixHashes);
  }

  @Override
  public String toString() {
    return "TraceRequest[arrivalNanos=%d, promptTokens=%d, outputTokens=%d, declaredOutputTokens=%d, tokensPerHash=%d, prefixHashes=%s]"
        .formatted(
            arrivalNanos,
            promptTokens,
            outputTokens,
            declaredOutputTokens,
            tokensPerHash,
            Arrays.toString(prefixHashes));
  }
}
