package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.metrics.PredictionFigures;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.Latency;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.explain.Wording;
import io.fusespill.sim.ResolvedScenario;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// A run's report as people read it.
final class Summary {

  private Summary() {}

  static void print(
      PrintWriter out,
      RunReport report,
      ObjectNode figures,
      ResolvedScenario scenario,
      @Nullable RunDirectory directory) {
    print(
        out,
        report,
        figures,
        title(scenario.description().get("model").asText(), scenario.config(), "simulated"),
        scenario.config().topology(),
        directory);
    if (report.metrics().cappedSequences() > 0) {
      out.println(
          "capped   %s at the greatest length allowed (--max-model-len)"
              .formatted(Wording.count(report.metrics().cappedSequences(), "sequence")));
    }
    scenario.notes().forEach(note -> out.println("note     " + note));
    out.flush();
  }

  /// @param title the first line
  static void print(
      PrintWriter out,
      RunReport report,
      ObjectNode figures,
      String title,
      Topology topology,
      @Nullable RunDirectory directory) {
    RunMetrics metrics = report.metrics();
    out.println(title);
    out.println();
    Table table = new Table();
    table
        .row(
            "requests",
            "%,d arrived: %,d completed, %,d rejected, %,d cancelled, %,d failed"
                .formatted(
                    metrics.arrived(),
                    metrics.completed(),
                    metrics.rejected(),
                    metrics.cancelled(),
                    metrics.failed()))
        .row(
            "duration",
            figures.has("wall_seconds")
                ? "%s s simulated in %.2f s"
                    .formatted(
                        TableText.seconds(report.durationSeconds()),
                        figures.get("wall_seconds").asDouble())
                : "%,.2f s".formatted(report.durationSeconds()))
        .row(
            "throughput",
            "%,.2f requests/s, %,.1f output tokens/s, %,.1f tokens/s"
                .formatted(
                    report.perSecond((double) metrics.completed()),
                    report.perSecond((double) metrics.outputTokens()),
                    report.perSecond((double) metrics.promptTokens() + metrics.outputTokens())))
        .row(
            "steps",
            "%,d prefill, %,d decode, %,d mixed"
                .formatted(metrics.prefillSteps(), metrics.decodeSteps(), metrics.mixedSteps()))
        .row(
            "running",
            "%.1f sequences on average, %,d in one step at most; %,d waiting at most"
                .formatted(report.meanRunning(), metrics.runningMax(), metrics.waitingMax()))
        .row("KV blocks", "%.1f%% in use at most".formatted(100 * report.peakKvUsage()))
        .row(
            "preemptions",
            "%,d, of %s; %s recomputed, %s swapped out, %,d in"
                .formatted(
                    metrics.preemptions(),
                    Wording.count(metrics.preemptedRequests(), "different request"),
                    Wording.count(metrics.recomputedTokens(), "token"),
                    Wording.count(metrics.swappedOutBlocks(), "block"),
                    metrics.swappedInBlocks()))
        .row(
            "prefill",
            "%s, %,d with padding"
                    .formatted(
                        Wording.count(metrics.prefillTokens(), "token"),
                        metrics.paddedPrefillTokens())
                + (metrics.prefixCacheHits() == 0
                    ? ""
                    : "; %,d were there already".formatted(metrics.prefixCacheHits())));
    addSpilling(table, report, topology);
    table.printLeft(out);
    out.println();
    printLatencies(out, report.latencies());
    printRejections(out, metrics);
    report.prediction().ifPresent(prediction -> printPrediction(out, prediction));
    out.println();
    out.println(
        "journal  %s, digest %s"
            .formatted(
                Wording.count(figures.get("journal_events").asLong(), "event"),
                figures.get("journal_digest").asText()));
    if (directory != null) {
      out.println(
          "run      %s  (fusespill verify %s)".formatted(directory.path(), directory.path()));
    }
    if (figures.path("extrapolated_steps").asLong() > 0) {
      out.println(
          "warning  %s outside what the fitted profile was measured on"
              .formatted(Wording.count(figures.get("extrapolated_steps").asLong(), "step")));
    }
    if (figures.path("skipped_rows").asLong() > 0) {
      out.println(
          "skipped  %s of the trace"
              .formatted(Wording.count(figures.get("skipped_rows").asLong(), "row")));
    }
    out.flush();
  }

  /// What only some policies and platforms have: rows for what is not zero.
  private static void addSpilling(Table table, RunReport report, Topology topology) {
    RunMetrics metrics = report.metrics();
    StringJoiner handlings = new StringJoiner(", ");
    for (Handling handling : Handling.values()) {
      if (metrics.handlings(handling) > 0) {
        handlings.add("%,d × %s".formatted(metrics.handlings(handling), Wording.words(handling)));
      }
    }
    if (handlings.length() > 0) {
      table.row("handlings", handlings + " (fusespill explain)");
    }
    if (metrics.remoteDecodes() > 0) {
      table.row(
          "remote decodes",
          "%s with attention on a host".formatted(Wording.count(metrics.remoteDecodes(), "token")));
    }
    StringJoiner busy = new StringJoiner(", ");
    for (Place place : topology.places()) {
      if (metrics.busyNanos(place.id()) > 0) {
        busy.add("%s %.1f%%".formatted(place.name(), 100 * report.utilisation(place.id())));
      }
    }
    if (busy.length() > 0) {
      table.row("at work", busy.toString());
    }
  }

  private static void printLatencies(PrintWriter out, Latencies latencies) {
    Table table =
        new Table()
            .row("ms", "mean", "median", "p90", "p95", "p99")
            .row(latency("TTFT", latencies.ttft()))
            .row(latency("TPOT", latencies.tpot()))
            .row(latency("ITL", latencies.itl()))
            .row(latency("E2E", latencies.e2e()));
    if (latencies.spilledTpot().count() > 0) {
      table.row(latency("TPOT, spilled", latencies.spilledTpot()));
    }
    if (latencies.spilledE2e().count() > 0) {
      table.row(latency("E2E, spilled", latencies.spilledE2e()));
    }
    table.print(out);
    out.println("  TTFT begins with the request's arrival at the engine.");
    if (latencies.spilledE2e().count() > 0) {
      out.println(
          "  spilled: completed and preempted at least once, %s."
              .formatted(Wording.count(latencies.spilledE2e().count(), "request")));
    }
  }

  private static void printPrediction(PrintWriter out, PredictionFigures prediction) {
    out.println();
    out.println(
        "length prediction by %s%s, %s"
            .formatted(
                prediction.kind().label(),
                prediction.kind().oracle() ? " (UPPER BOUND: it knows the truth)" : "",
                Wording.count(prediction.moments(), "moment")));
    if (prediction.moments() == 0) {
      return;
    }
    StringJoiner calibration = new StringJoiner(" / ");
    prediction.calibration().forEach(share -> calibration.add("%.1f".formatted(100 * share)));
    new Table()
        .row("mean error", "%,.1f tokens".formatted(prediction.meanErrorOfMedian()))
        .row(
            "right order",
            prediction.pairs() == 0
                ? "no pairs"
                : "%.1f%% of pairs".formatted(100 * prediction.orderedByMedian()))
        .row("calibration", "%s%% within the 50 / 80 / 90 / 95%% quantile".formatted(calibration))
        .printLeft(out);
  }

  /// @param how what kind of run it was
  static String title(String model, EngineConfig config, String how) {
    StringJoiner places = new StringJoiner(", ");
    for (Place place : config.topology().places()) {
      places.add("%s with %s".formatted(place.name(), Wording.count(place.blocks(), "block")));
    }
    return "%s under %s on %s (%s)".formatted(model, config.policy().name(), places, how);
  }

  static String[] latency(String name, Latency latency) {
    if (latency.count() == 0) {
      return new String[] {name, "-", "-", "-", "-", "-"};
    }
    return new String[] {
      name,
      millis(latency.meanMillis()),
      millis(latency.percentileMillis(50)),
      millis(latency.percentileMillis(90)),
      millis(latency.percentileMillis(95)),
      millis(latency.percentileMillis(99))
    };
  }

  private static String millis(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%,.1f" : "%,.0f", value);
  }

  private static void printRejections(PrintWriter out, RunMetrics metrics) {
    for (RejectionReason reason : RejectionReason.values()) {
      if (metrics.rejected(reason) > 0) {
        out.println("  rejected: %,d %s".formatted(metrics.rejected(reason), explain(reason)));
      }
    }
  }

  private static String explain(RejectionReason reason) {
    return switch (reason) {
      case PROMPT_TOO_LONG ->
          "longer than a sequence or a step may be (--max-model-len, --max-num-batched-tokens)";
      case NEVER_FITS -> "that would take more blocks than the device could ever give";
      case SWAP_SPACE_EXHAUSTED -> "that the host had no room to swap out (--swap-space)";
      case TOO_MANY_SAMPLES -> "with more samples than sequences may run (--max-num-seqs)";
    };
  }
}
