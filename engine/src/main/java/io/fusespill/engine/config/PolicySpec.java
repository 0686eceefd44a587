package io.fusespill.engine.config;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/// A policy by name, with its options in key order.
public record PolicySpec(String name, SortedMap<String, String> options) {

  public PolicySpec {
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
  }

  public static PolicySpec of(String name) {
    return new PolicySpec(name, new TreeMap<>());
  }

  /// This spec with one option more.
  public PolicySpec with(String key, String value) {
    TreeMap<String, String> more = new TreeMap<>(options);
    more.put(key, value);
    return new PolicySpec(name, more);
  }
}
