package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;

/// What one step computes, as far as its time depends on it. All counts are at least 0.
///
/// @param decodes sequences that compute one token on a finished prompt
/// @param decodeContextTokens KV tokens that these read, their own new tokens included
/// @param prefills sequences that compute tokens of their prompt, or recompute
/// @param prefillTokens tokens that these compute
/// @param prefillContextPairs query-key pairs of their attention, the sum of [#pairs] over them
/// @param computedTokens tokens that pass the linear layers, padding included; at least decodes +
///   prefill tokens
/// @param sampledTokens rows that pass the output head
public record StepShape(
    int decodes,
    long decodeContextTokens,
    int prefills,
    long prefillTokens,
    long prefillContextPairs,
    int computedTokens,
    int sampledTokens) {

  public StepShape {
    Check.range("decodes", decodes, 0, Integer.MAX_VALUE);
    Check.range("decodeContextTokens", decodeContextTokens, 0, Long.MAX_VALUE);
    Check.range("prefills", prefills, 0, Integer.MAX_VALUE);
    Check.range("prefillTokens", prefillTokens, prefills, Integer.MAX_VALUE);
    Check.range("prefillContextPairs", prefillContextPairs, 0, Long.MAX_VALUE);
    Check.range("computedTokens", computedTokens, decodes + prefillTokens, Integer.MAX_VALUE);
    Check.range("sampledTokens", sampledTokens, 0, Integer.MAX_VALUE);
  }

  /// Query-key pairs of causal attention when `tokens` new tokens follow `before` that are computed
  /// already: each new token sees all before it and itself, `tokens · before + tokens · (tokens +
  /// 1) / 2`.
  public static long pairs(long before, long tokens) {
    return tokens * before + tokens * (tokens + 1) / 2;
  }
}
