package io.fusespill.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.charts.RunData;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.metrics.PredictionAccuracy;
import io.fusespill.engine.metrics.PredictionFigures;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.journal.JournalHeader;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.explain.HandlingSummary;
import io.fusespill.replay.timeline.Timeline;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// All that a page tells of one run, folded from its journal in one pass. Memory follows the live
/// requests and what the timeline keeps.
final class ReportRun {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// Asking a predictor makes it build curves: oftener would take more than a tenth of a report.
  static final int STEPS_BETWEEN_PREDICTIONS = 128;

  private final String name;
  private final JournalHeader header;
  private final JsonNode config;
  private final JsonNode summary;
  private final RunData charted;
  private final HandlingSummary handlings = new HandlingSummary(0);
  private final TimelineData timelineData;
  private final Timeline timeline;
  private @Nullable PredictionAccuracy prediction;
  private @Nullable RunStarted started;

  /// @param summary what the run's `summary.json` says, an empty object where there is none
  ReportRun(String name, JournalHeader header, JsonNode summary, TimelineData.Budget budget) {
    this.name = name;
    this.header = header;
    this.summary = summary;
    this.charted = new RunData(name, header, RunData.Detail.DEFAULT);
    this.timelineData = new TimelineData(budget);
    this.timeline = new Timeline(timelineData);
    try {
      this.config = MAPPER.readTree(header.configJson());
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "the configuration of run %s is not JSON: %s".formatted(name, e.getOriginalMessage()), e);
    }
  }

  void accept(long position, EngineEvent event) {
    if (event instanceof RunStarted run) {
      started = run;
      String predictor = run.config().predictor();
      if (!predictor.equals(EngineConfig.NO_PREDICTOR)) {
        prediction =
            new PredictionAccuracy(PredictorKind.named(predictor), STEPS_BETWEEN_PREDICTIONS);
      }
    }
    charted.accept(position, event);
    if (prediction != null) {
      prediction.accept(event);
    }
    handlings.accept(position, event);
    timeline.accept(position, event);
  }

  /// The log ends.
  void close() {
    charted.close();
    handlings.close();
    timeline.close();
  }

  String name() {
    return name;
  }

  JournalHeader header() {
    return header;
  }

  /// The resolved configuration.
  JsonNode config() {
    return config;
  }

  /// A count that only the run itself knows, 0 where it left no summary.
  long summaryCount(String key) {
    return summary.path(key).asLong();
  }

  RunReport report() {
    return new RunReport(metrics(), charted.report().latencies(), prediction);
  }

  RunMetrics metrics() {
    return charted.report().metrics();
  }

  /// How good its predictor was, if it was ever asked for what then came.
  Optional<PredictionFigures> prediction() {
    return report().prediction().filter(figures -> figures.moments() > 0);
  }

  /// What figures show of it.
  RunData charted() {
    return charted;
  }

  HandlingSummary handlings() {
    return handlings;
  }

  TimelineData timeline() {
    return timelineData;
  }

  EngineConfig engineConfig() {
    if (started == null) {
      throw new IllegalStateException("run %s has not started".formatted(name));
    }
    return started.config();
  }

  boolean simulated() {
    return config.has("time_model");
  }

  /// Devices that ran a step.
  int devices() {
    RunMetrics metrics = metrics();
    int devices = 0;
    for (int place = 0; place < metrics.places(); place++) {
      devices += metrics.steps(place) > 0 ? 1 : 0;
    }
    return devices;
  }

  /// Requests that had not ended when the log did.
  long unfinished() {
    RunMetrics metrics = metrics();
    return metrics.arrived()
        - metrics.completed()
        - metrics.cancelled()
        - metrics.failed()
        - metrics.rejected();
  }
}
