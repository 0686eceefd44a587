package io.fusespill.charts;

import io.fusespill.charts.Results.Row;
import java.util.List;
import java.util.Map;

/// A column of results as an axis: its label with the unit, and what makes it of the column.
///
/// @param factor from the column's unit to the label's
record Quantity(String column, String label, double factor) {

  private static final Map<String, Quantity> KNOWN =
      Map.ofEntries(
          known("output_throughput", "Output tokens/s", 1),
          known("output_tokens_per_second", "Output tokens/s", 1),
          known("total_token_throughput", "Tokens/s", 1),
          known("total_tokens_per_second", "Tokens/s", 1),
          known("request_throughput", "Requests/s", 1),
          known("requests_per_second", "Requests/s", 1),
          known("rate_requests_per_second", "Offered rate, requests/s", 1),
          known("rate_scale_ratio", "Rate, times the trace's", 1),
          known("goodput_requests_per_second", "Goodput, requests/s", 1),
          known("slo_attainment_ratio", "Requests within the SLO, %", 100),
          known("spill-share", "Share of sequences off the main device, α", 1),
          known("offload-share", "Share added when the auxiliary is full, α", 1),
          known("price_per_hour", "Price an hour", 1));

  private static final List<String> LATENCIES = List.of("ttft", "tpot", "itl", "e2el", "e2e");

  private static Map.Entry<String, Quantity> known(String column, String label, double factor) {
    return Map.entry(column, new Quantity(column, label, factor));
  }

  static Quantity throughput(Results results) {
    return of(
        results.require(
            results
                .first("output_tokens_per_second", "output_throughput")
                .orElse("output_tokens_per_second")));
  }

  /// 99th percentile of end-to-end latency.
  static Quantity tail(Results results) {
    return of(
        results.require(results.first("e2e_p99_seconds", "p99_e2el_ms").orElse("e2e_p99_seconds")));
  }

  static Quantity of(String column) {
    Quantity known = KNOWN.get(column);
    if (known != null) {
      return known;
    }
    boolean millis = column.endsWith("_ms");
    boolean seconds = column.endsWith("_seconds");
    String words = column.replaceAll("_(ms|seconds|ratio)$", "").replace('_', ' ');
    for (String latency : LATENCIES) {
      words =
          words.replaceAll(
              "\\b" + latency + "\\b",
              latency.replace("e2el", "e2e").toUpperCase(java.util.Locale.ROOT));
    }
    boolean perToken = words.contains("TPOT") || words.contains("ITL");
    if (millis || seconds) {
      double toMillis = millis ? 1 : 1e3;
      return perToken
          ? new Quantity(column, words + ", ms", toMillis)
          : new Quantity(column, words + ", s", toMillis / 1e3);
    }
    return new Quantity(column, Character.toUpperCase(words.charAt(0)) + words.substring(1), 1);
  }

  double of(Row row) {
    return row.number(column) * factor;
  }
}
