package io.fusespill.traces;

/// Which requests are short enough.
///
/// @param maxPromptTokens prompt at most, 1 to [TraceLimits#MAX_TOKENS]
/// @param maxTotalTokens prompt plus output at most, 2 to twice [TraceLimits#MAX_TOKENS]
public record LengthFilter(int maxPromptTokens, int maxTotalTokens) {

  /// Every request.
  public static final LengthFilter NONE =
      new LengthFilter(TraceLimits.MAX_TOKENS, 2 * TraceLimits.MAX_TOKENS);

  /// The ShareGPT filter of the FuseSpill paper (IEEE TPDS 37(1), 2026).
  public static final LengthFilter FUSESPILL_PAPER = new LengthFilter(1024, 1512);

  public LengthFilter {
    Check.range("maxPromptTokens", maxPromptTokens, 1, TraceLimits.MAX_TOKENS);
    Check.range("maxTotalTokens", maxTotalTokens, 2, 2 * TraceLimits.MAX_TOKENS);
  }

  boolean accepts(int promptTokens, int outputTokens) {
    return promptTokens <= maxPromptTokens && promptTokens + outputTokens <= maxTotalTokens;
  }
}
