package io.fusespill.engine.config;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/// A policy by name, with its options in key order.
public record PolicySpec(String name, SortedMap<String, String> options) {

  /// The option by which a policy asks the state to remember what blocks hold.
  public static final String PREFIX_CACHING = "prefix-caching";

  public PolicySpec {
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
  }

  public static PolicySpec of(String name) {
    return new PolicySpec(name, new TreeMap<>());
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
