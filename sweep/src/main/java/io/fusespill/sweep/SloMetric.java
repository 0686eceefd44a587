package io.fusespill.sweep;

import io.fusespill.replay.Latencies;
import io.fusespill.replay.Latency;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/// A latency that a service level objective may bound.
public enum SloMetric {
  /// From a request's arrival to its first token.
  TTFT(Latencies::ttft),
  /// A sequence's mean time per output token after the first.
  TPOT(Latencies::tpot),
  /// Between two tokens of one sequence.
  ITL(Latencies::itl),
  /// From a request's arrival to its last token.
  E2E(Latencies::e2e);

  private final Function<Latencies, Latency> latency;

  SloMetric(Function<Latencies, Latency> latency) {
    this.latency = latency;
  }

  Latency of(Latencies latencies) {
    return latency.apply(latencies);
  }

  /// As specifications and columns spell it.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static List<String> labels() {
    return Arrays.stream(values()).map(SloMetric::label).toList();
  }

  static SloMetric named(String label) {
    return valueOf(label.toUpperCase(Locale.ROOT));
  }
}
