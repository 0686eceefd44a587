package io.fusespill.engine.config;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/// A policy by name, with its options in key order.
public record PolicySpec(String name, SortedMap<String, String> options) {

  /// The option by which a policy asks the state to remember what preempted sequences leave in
  /// their place.
  public static final String REUSE_PREEMPTED = "reuse-preempted";

  public PolicySpec {
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
  }

  public static PolicySpec of(String name) {
    return new PolicySpec(name, new TreeMap<>());
  }

  /// Whether the option [#REUSE_PREEMPTED] is set.
  public boolean reusesPreempted() {
    return "true".equals(options.get(REUSE_PREEMPTED));
  }

  /// This spec with one option more.
  public PolicySpec with(String key, String value) {
    TreeMap<String, String> more = new TreeMap<>(options);
    more.put(key, value);
    return new PolicySpec(name, more);
  }
}
