package io.fusespill.sim.cost;

import io.fusespill.engine.plan.StepPlan;
import io.fusespill.sim.profile.Check;

/// What one step computes, as far as its time depends on it. All counts are at least 0.
///
/// Remote rows pass everything but the device's attention: they are among `computedTokens` and
/// `sampledTokens`, and not among `decodes`.
///
/// @param decodes sequences that compute one token on a finished prompt, their KV on the device
/// @param decodeContextTokens KV tokens that these read, their own new tokens included
/// @param prefills sequences that compute tokens of their prompt, or recompute
/// @param prefillTokens tokens that these compute
/// @param prefillContextPairs query-key pairs of their attention, the sum of [#pairs] over them
/// @param computedTokens tokens that pass the linear layers, padding included; at least decodes +
///   prefill tokens
/// @param sampledTokens rows that pass the output head
/// @param remoteRows sequences that compute one token while another place attends for them
/// @param remoteContextTokens KV tokens that these read there, their own new tokens included
/// @param decodeContextPadding KV tokens that decodes would read beyond those they do if each had
///   as many as the one that has most; 0 where all have the same
public record StepShape(
    int decodes,
    long decodeContextTokens,
    int prefills,
    long prefillTokens,
    long prefillContextPairs,
    int computedTokens,
    int sampledTokens,
    int remoteRows,
    long remoteContextTokens,
    long decodeContextPadding) {

  public StepShape {
    Check.range("decodes", decodes, 0, Integer.MAX_VALUE);
    Check.range("decodeContextTokens", decodeContextTokens, 0, Long.MAX_VALUE);
    Check.range("prefills", prefills, 0, Integer.MAX_VALUE);
    Check.range("prefillTokens", prefillTokens, prefills, Integer.MAX_VALUE);
    Check.range("prefillContextPairs", prefillContextPairs, 0, Long.MAX_VALUE);
    Check.range("computedTokens", computedTokens, decodes + prefillTokens, Integer.MAX_VALUE);
    Check.range("sampledTokens", sampledTokens, 0, Integer.MAX_VALUE);
    Check.range("remoteRows", remoteRows, 0, Integer.MAX_VALUE);
    Check.range("remoteContextTokens", remoteContextTokens, remoteRows, Long.MAX_VALUE);
    Check.range("decodeContextPadding", decodeContextPadding, 0, decodes < 2 ? 0 : Long.MAX_VALUE);
  }

  /// A step whose decodes have equal contexts.
  public StepShape(
      int decodes,
      long decodeContextTokens,
      int prefills,
      long prefillTokens,
      long prefillContextPairs,
      int computedTokens,
      int sampledTokens,
      int remoteRows,
      long remoteContextTokens) {
    this(
        decodes,
        decodeContextTokens,
        prefills,
        prefillTokens,
        prefillContextPairs,
        computedTokens,
        sampledTokens,
        remoteRows,
        remoteContextTokens,
        0);
  }

  /// A step whose KV all lies on its device, and whose decodes have equal contexts.
  public StepShape(
      int decodes,
      long decodeContextTokens,
      int prefills,
      long prefillTokens,
      long prefillContextPairs,
      int computedTokens,
      int sampledTokens) {
    this(
        decodes,
        decodeContextTokens,
        prefills,
        prefillTokens,
        prefillContextPairs,
        computedTokens,
        sampledTokens,
        0,
        0,
        0);
  }

  /// What a plan's step computes.
  public static StepShape of(StepPlan plan) {
    int prefills = 0;
    long prefillTokens = 0;
    long pairs = 0;
    long context = 0;
    long remoteContext = 0;
    long longest = 0;
    int local = plan.localEntries();
    for (int i = 0; i < plan.size(); i++) {
      int computed = plan.computedTokens().get(i);
      int tokens = plan.newTokens().get(i);
      if (i >= local) {
        remoteContext += computed + 1;
      } else if (plan.isDecode(i)) {
        context += computed + 1;
        longest = Math.max(longest, computed + 1);
      } else {
        prefills++;
        prefillTokens += tokens;
        pairs += pairs(computed, tokens);
      }
    }
    return new StepShape(
        local - prefills,
        context,
        prefills,
        prefillTokens,
        pairs,
        plan.batchedTokens(),
        plan.size(),
        plan.remoteEntries(),
        remoteContext,
        (local - prefills) * longest - context);
  }

  /// The same on an executor that computes no padding.
  public StepShape withoutPadding() {
    int tokens = (int) (decodes + prefillTokens + remoteRows);
    return tokens == computedTokens
        ? this
        : new StepShape(
            decodes,
            decodeContextTokens,
            prefills,
            prefillTokens,
            prefillContextPairs,
            tokens,
            sampledTokens,
            remoteRows,
            remoteContextTokens,
            decodeContextPadding);
  }

  /// The same with contexts of decodes that differ.
  public StepShape withContextPadding(long decodeContextPadding) {
    return new StepShape(
        decodes,
        decodeContextTokens,
        prefills,
        prefillTokens,
        prefillContextPairs,
        computedTokens,
        sampledTokens,
        remoteRows,
        remoteContextTokens,
        decodeContextPadding);
  }

  /// Query-key pairs of causal attention when `tokens` new tokens follow `before` that are computed
  /// already: each new token sees all before it and itself, `tokens · before + tokens · (tokens +
  /// 1) / 2`.
  public static long pairs(long before, long tokens) {
    return tokens * before + tokens * (tokens + 1) / 2;
  }
}
