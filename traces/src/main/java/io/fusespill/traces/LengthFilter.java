package io.fusespill.traces;

import static java.util.stream.Collectors.joining;

import java.util.stream.Stream;

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
    Check.range("max-prompt", maxPromptTokens, 1, TraceLimits.MAX_TOKENS);
    Check.range("max-total", maxTotalTokens, 2, 2 * TraceLimits.MAX_TOKENS);
  }

  /// As options spell it, without what refuses nothing.
  @Override
  public String toString() {
    String prompt = maxPromptTokens == NONE.maxPromptTokens ? "" : "max-prompt " + maxPromptTokens;
    String total = maxTotalTokens == NONE.maxTotalTokens ? "" : "max-total " + maxTotalTokens;
    return Stream.of(prompt, total).filter(text -> !text.isEmpty()).collect(joining(" and "));
  }

  boolean accepts(int promptTokens, int outputTokens) {
    return promptTokens <= maxPromptTokens && promptTokens + outputTokens <= maxTotalTokens;
  }
}
