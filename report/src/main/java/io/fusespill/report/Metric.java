package io.fusespill.report;

import io.fusespill.replay.Latency;
import io.fusespill.replay.RunReport;
import java.util.function.ToDoubleFunction;

/// A figure of a run by which runs are compared.
enum Metric {
  COMPLETED("Requests", "completed requests", "", Better.NEITHER, 0, r -> r.metrics().completed()),
  REJECTED("Requests", "rejected requests", "", Better.NEITHER, 0, r -> r.metrics().rejected()),
  FAILED("Requests", "failed requests", "", Better.NEITHER, 0, r -> r.metrics().failed()),
  CANCELLED("Requests", "cancelled requests", "", Better.NEITHER, 0, r -> r.metrics().cancelled()),
  DURATION("Requests", "duration", "s", Better.NEITHER, 3, RunReport::durationSeconds),
  OUTPUT_RATE(
      "Throughput",
      "output tokens",
      "tokens/s",
      Better.HIGHER,
      1,
      r -> r.perSecond((double) r.metrics().outputTokens())),
  REQUEST_RATE(
      "Throughput",
      "requests served",
      "requests/s",
      Better.HIGHER,
      3,
      r -> r.perSecond((double) r.metrics().completed())),
  TTFT_MEAN("Latency", "TTFT, mean", "s", Better.LOWER, 3, r -> mean(r.latencies().ttft()) / 1e3),
  TTFT_P99("Latency", "TTFT, p99", "s", Better.LOWER, 3, r -> p99(r.latencies().ttft()) / 1e3),
  TPOT_MEAN("Latency", "TPOT, mean", "ms", Better.LOWER, 1, r -> mean(r.latencies().tpot())),
  TPOT_P99("Latency", "TPOT, p99", "ms", Better.LOWER, 1, r -> p99(r.latencies().tpot())),
  ITL_P99("Latency", "ITL, p99", "ms", Better.LOWER, 1, r -> p99(r.latencies().itl())),
  E2E_MEAN("Latency", "E2E, mean", "s", Better.LOWER, 3, r -> mean(r.latencies().e2e()) / 1e3),
  E2E_P99("Latency", "E2E, p99", "s", Better.LOWER, 3, r -> p99(r.latencies().e2e()) / 1e3),
  PREEMPTIONS("Spilling", "preemptions", "", Better.NEITHER, 0, r -> r.metrics().preemptions()),
  RECOMPUTED(
      "Spilling", "recomputed tokens", "", Better.LOWER, 0, r -> r.metrics().recomputedTokens()),
  SWAPPED(
      "Spilling", "swapped-out blocks", "", Better.NEITHER, 0, r -> r.metrics().swappedOutBlocks()),
  REMOTE(
      "Spilling",
      "tokens by host attention",
      "",
      Better.NEITHER,
      0,
      r -> r.metrics().remoteDecodes()),
  WASTED("Spilling", "wasted tokens", "", Better.LOWER, 0, r -> r.metrics().wastedTokens()),
  RUNNING("Use", "mean running sequences", "", Better.NEITHER, 1, RunReport::meanRunning),
  KV("Use", "KV blocks in use at most", "%", Better.NEITHER, 1, r -> 100 * r.peakKvUsage()),
  BUSY("Use", "devices at work", "%", Better.NEITHER, 1, Metric::busy),
  FAILED_STEPS("Use", "failed steps", "", Better.NEITHER, 0, r -> r.metrics().failedSteps());

  /// Which way is good.
  enum Better {
    HIGHER,
    LOWER,
    NEITHER
  }

  private static final int SIGNIFICANT = 4;
  private static final int SIGNIFICANT_BESIDE = 2;
  private static final double TINY = 1e-9;

  private final String group;
  private final String label;
  private final String unit;
  private final Better better;
  private final int decimals;
  private final ToDoubleFunction<RunReport> figure;

  Metric(
      String group,
      String label,
      String unit,
      Better better,
      int decimals,
      ToDoubleFunction<RunReport> figure) {
    this.group = group;
    this.label = label;
    this.unit = unit;
    this.better = better;
    this.decimals = decimals;
    this.figure = figure;
  }

  private static double mean(Latency latency) {
    return latency.count() == 0 ? Double.NaN : latency.meanMillis();
  }

  private static double p99(Latency latency) {
    return latency.count() == 0 ? Double.NaN : latency.percentileMillis(99);
  }

  private static double busy(RunReport report) {
    double sum = 0;
    int devices = 0;
    for (int place = 0; place < report.metrics().places(); place++) {
      if (report.metrics().steps(place) > 0) {
        sum += report.utilisation(place);
        devices++;
      }
    }
    return devices == 0 ? 0 : 100 * sum / devices;
  }

  String group() {
    return group;
  }

  String label() {
    return label;
  }

  String unit() {
    return unit;
  }

  Better better() {
    return better;
  }

  /// The figure; not a number for a latency that nothing had.
  double of(RunReport report) {
    return figure.applyAsDouble(report);
  }

  /// The value with four digits that count, or all before the point if those are more.
  String text(double value) {
    return text(value, value);
  }

  /// The value with as many decimals as the largest of its row, or as many as two digits that count
  /// take.
  String text(double value, double largest) {
    if (Double.isNaN(value)) {
      return "–";
    }
    int places = places(largest, SIGNIFICANT);
    if (value != 0) {
      places = Math.max(places, places(value, SIGNIFICANT_BESIDE));
    }
    return ("%,." + Math.clamp(places, 0, decimals) + "f").formatted(value);
  }

  /// Decimals that show so many digits that count.
  private static int places(double value, int digits) {
    return digits - 1 - (int) Math.floor(Math.log10(Math.max(TINY, Math.abs(value))));
  }
}
