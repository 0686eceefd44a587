package io.fusespill.sim.cost;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/// What a fitted step time may depend on; the names are those of the profile file.
public enum StepFeature {
  DECODES("decodes"),
  DECODE_CONTEXT_TOKENS("decodeContextTokens"),
  PREFILLS("prefills"),
  PREFILL_TOKENS("prefillTokens"),
  PREFILL_CONTEXT_PAIRS("prefillContextPairs"),
  COMPUTED_TOKENS("computedTokens"),
  SAMPLED_TOKENS("sampledTokens"),
  REMOTE_ROWS("remoteRows"),
  REMOTE_CONTEXT_TOKENS("remoteContextTokens"),

  /// KV tokens by which the longest context of a decode is above their mean, rounded down.
  DECODE_CONTEXT_EXCESS("decodeContextExcess"),

  /// The same for all decodes together: tokens that would be read in vain if each were as long as
  /// the longest.
  DECODE_CONTEXT_PADDING("decodeContextPadding");

  private final String label;

  StepFeature(String label) {
    this.label = label;
  }

  /// An unmodifiable copy in the order of this enum.
  static <V> Map<StepFeature, V> ordered(Map<StepFeature, V> values) {
    Map<StepFeature, V> copy = new EnumMap<>(StepFeature.class);
    copy.putAll(values);
    return Collections.unmodifiableMap(copy);
  }

  public String label() {
    return label;
  }

  public long of(StepShape shape) {
    return switch (this) {
      case DECODES -> shape.decodes();
      case DECODE_CONTEXT_TOKENS -> shape.decodeContextTokens();
      case PREFILLS -> shape.prefills();
      case PREFILL_TOKENS -> shape.prefillTokens();
      case PREFILL_CONTEXT_PAIRS -> shape.prefillContextPairs();
      case COMPUTED_TOKENS -> shape.computedTokens();
      case SAMPLED_TOKENS -> shape.sampledTokens();
      case REMOTE_ROWS -> shape.remoteRows();
      case REMOTE_CONTEXT_TOKENS -> shape.remoteContextTokens();
      case DECODE_CONTEXT_EXCESS ->
          shape.decodes() == 0 ? 0 : shape.decodeContextPadding() / shape.decodes();
      case DECODE_CONTEXT_PADDING -> shape.decodeContextPadding();
    };
  }
}
