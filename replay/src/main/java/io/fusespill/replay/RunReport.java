package io.fusespill.replay;

import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.metrics.PredictionAccuracy;
import io.fusespill.engine.metrics.PredictionFigures;
import io.fusespill.engine.metrics.RunMetrics;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A run's figures under the names that vLLM's benchmark gives them, where it has them.
public final class RunReport {

  private static final double NANOS_PER_SECOND = 1e9;

  private final RunMetrics metrics;
  private final Latencies latencies;
  private final @Nullable PredictionAccuracy prediction;

  /// The report of a run without a length predictor, or of one whose accuracy nobody asks for.
  public RunReport(RunMetrics metrics, Latencies latencies) {
    this(metrics, latencies, null);
  }

  /// @param prediction accuracy of the run's length predictor, if it is measured
  public RunReport(
      RunMetrics metrics, Latencies latencies, @Nullable PredictionAccuracy prediction) {
    this.metrics = metrics;
    this.latencies = latencies;
    this.prediction = prediction;
  }

  /// How well the run's length predictor knew what came, where that was measured.
  public Optional<PredictionFigures> prediction() {
    return Optional.ofNullable(prediction).map(PredictionAccuracy::figures);
  }

  public RunMetrics metrics() {
    return metrics;
  }

  public Latencies latencies() {
    return latencies;
  }

  public double durationSeconds() {
    return metrics.durationNanos() / NANOS_PER_SECOND;
  }

  public double perSecond(double amount) {
    return metrics.durationNanos() == 0 ? 0 : amount / durationSeconds();
  }

  /// Sequences in steps, averaged over the run's time.
  public double meanRunning() {
    return metrics.durationNanos() == 0
        ? 0
        : (double) metrics.runningNanos() / metrics.durationNanos();
  }

  /// The largest share of any computing place's blocks that was in use at once.
  public double peakKvUsage() {
    double peak = 0;
    for (int place = 0; place < metrics.places(); place++) {
      if (metrics.poolBlocks(place) > 0) {
        peak = Math.max(peak, (double) metrics.usedBlocksMax(place) / metrics.poolBlocks(place));
      }
    }
    return peak;
  }

  /// Share of the run's time that a place was at work on steps.
  public double utilisation(int place) {
    return metrics.durationNanos() == 0
        ? 0
        : (double) metrics.busyNanos(place) / metrics.durationNanos();
  }

  /// All figures by name, in the order in which they are printed. Numbers are `Long` or `Double`,
  /// names are `String`.
  public Map<String, Object> figures() {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("completed", metrics.completed());
    figures.put("failed", metrics.rejected() + metrics.failed());
    figures.put("cancelled", metrics.cancelled());
    figures.put("duration", durationSeconds());
    figures.put("total_input_tokens", metrics.promptTokens());
    figures.put("total_output_tokens", metrics.outputTokens());
    figures.put("request_throughput", perSecond((double) metrics.completed()));
    figures.put("output_throughput", perSecond((double) metrics.outputTokens()));
    figures.put(
        "total_token_throughput",
        perSecond((double) metrics.promptTokens() + metrics.outputTokens()));
    put(figures, "ttft", latencies.ttft());
    put(figures, "tpot", latencies.tpot());
    put(figures, "itl", latencies.itl());
    put(figures, "e2el", latencies.e2e());
    putSpilled(figures, "tpot", latencies.spilledTpot());
    putSpilled(figures, "e2el", latencies.spilledE2e());
    figures.put("prefill_steps", metrics.prefillSteps());
    figures.put("decode_steps", metrics.decodeSteps());
    figures.put("mixed_steps", metrics.mixedSteps());
    figures.put("copy_steps", metrics.copySteps());
    figures.put("preemptions", metrics.preemptions());
    figures.put("preempted_requests", metrics.preemptedRequests());
    figures.put("recomputed_tokens", metrics.recomputedTokens());
    figures.put("prefix_cache_hits", metrics.prefixCacheHits());
    figures.put("prefill_tokens", metrics.prefillTokens());
    figures.put("padded_prefill_tokens", metrics.paddedPrefillTokens());
    figures.put("swapped_out_blocks", metrics.swappedOutBlocks());
    figures.put("swapped_in_blocks", metrics.swappedInBlocks());
    figures.put("offloaded_blocks", metrics.offloadedBlocks());
    figures.put("disk_blocks", metrics.diskBlocks());
    figures.put("remote_decodes", metrics.remoteDecodes());
    figures.put("wasted_tokens", metrics.wastedTokens());
    for (Handling handling : Handling.values()) {
      figures.put(
          "chosen_" + handling.name().toLowerCase(Locale.ROOT), metrics.handlings(handling));
    }
    for (int place = 0; place < metrics.places(); place++) {
      if (metrics.steps(place) > 0) {
        figures.put("utilisation_" + place, utilisation(place));
      }
    }
    figures.put("rejected", metrics.rejected());
    for (RejectionReason reason : RejectionReason.values()) {
      figures.put("rejected_" + reason.name().toLowerCase(Locale.ROOT), metrics.rejected(reason));
    }
    figures.put("capped_sequences", metrics.cappedSequences());
    figures.put("failed_steps", metrics.failedSteps());
    figures.put("failed_transfers", metrics.failedTransfers());
    figures.put("peak_kv_usage", peakKvUsage());
    figures.put("mean_running", meanRunning());
    figures.put("max_running", metrics.runningMax());
    figures.put("max_waiting", metrics.waitingMax());
    prediction().ifPresent(accuracy -> put(figures, accuracy));
    figures.put("state_hash", "%016x".formatted(metrics.stateHash()));
    return figures;
  }

  private static void put(Map<String, Object> figures, PredictionFigures accuracy) {
    figures.put("predictor", accuracy.kind().label());
    figures.put("prediction_moments", accuracy.moments());
    figures.put("prediction_mae_tokens", accuracy.meanErrorOfMedian());
    figures.put("prediction_pairwise", accuracy.orderedByMedian());
    for (int level = 0; level < PredictionFigures.LEVELS.size(); level++) {
      figures.put(
          "prediction_calibration_" + PredictionFigures.LEVELS.get(level) / 10,
          accuracy.calibration().get(level));
    }
  }

  private static void putSpilled(Map<String, Object> figures, String name, Latency latency) {
    figures.put("mean_spilled_" + name + "_ms", latency.meanMillis());
    figures.put("p99_spilled_" + name + "_ms", latency.percentileMillis(99));
  }

  private static void put(Map<String, Object> figures, String name, Latency latency) {
    figures.put("mean_" + name + "_ms", latency.meanMillis());
    figures.put("median_" + name + "_ms", latency.percentileMillis(50));
    figures.put("std_" + name + "_ms", latency.deviationMillis());
    figures.put("p90_" + name + "_ms", latency.percentileMillis(90));
    figures.put("p95_" + name + "_ms", latency.percentileMillis(95));
    figures.put("p99_" + name + "_ms", latency.percentileMillis(99));
  }
}
