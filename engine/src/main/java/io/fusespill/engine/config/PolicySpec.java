package io.fusespill.engine.config;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/// A policy by name, with its options in key order.
public record PolicySpec(String name, SortedMap<String, String> options) {

  /// The option by which a policy asks the state to remember what blocks hold.
  public static final String PREFIX_CACHING = "prefix-caching";

  private static final String FORMER_OPTION = "reuse-preempted";

  public PolicySpec {
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
  }

  public static PolicySpec of(String name) {
    return new PolicySpec(name, new TreeMap<>());
  }

  /// Whether the state remembers what blocks hold, of prompts and of what sequences generated.
  /// Journals of before this option have another, by which it remembered the latter alone.
  public boolean keepsBlocks() {
    return cachesPrefixes() || "true".equals(options.get(FORMER_OPTION));
  }

  /// Whether the option [#PREFIX_CACHING] is set.
  public boolean cachesPrefixes() {
    return "true".equals(options.get(PREFIX_CACHING));
  }

  /// This spec with one option more.
  public PolicySpec with(String key, String value) {
    TreeMap<String, String> more = new TreeMap<>(options);
    more.put(key, value);
    return new PolicySpec(name, more);
  }
}
