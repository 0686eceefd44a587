package io.fusespill.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.metrics.PredictionAccuracy;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RequestCsv;
import io.fusespill.replay.RunReport;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What is made of a run's events while it goes on: its figures, and `requests.csv` where it has a
/// directory.
final class RunFolds implements AutoCloseable {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// Asking a predictor makes it build curves: oftener would take more than a tenth of a run.
  private static final int STEPS_BETWEEN_PREDICTIONS = 128;

  private final @Nullable RequestCsv csv;
  private final RunMetrics metrics;
  private final @Nullable PredictionAccuracy prediction;
  private final RunReport report;
  private int maxAttempts;
  private volatile String lastFailure = "";

  /// @param directory null where the run leaves nothing
  /// @param predicting configuration whose predictor is measured; null for none
  RunFolds(@Nullable RunDirectory directory, @Nullable EngineConfig predicting) {
    csv = directory == null ? null : new RequestCsv(directory.requests());
    Consumer<RequestOutcome> outcomes = csv == null ? outcome -> {} : csv;
    Latencies latencies = new Latencies(outcomes);
    metrics = new RunMetrics(latencies);
    prediction = predicting == null ? null : prediction(predicting.predictor());
    report = new RunReport(metrics, latencies, prediction);
  }

  private static @Nullable PredictionAccuracy prediction(String predictor) {
    return predictor.equals(EngineConfig.NO_PREDICTOR)
        ? null
        : new PredictionAccuracy(PredictorKind.named(predictor), STEPS_BETWEEN_PREDICTIONS);
  }

  /// What takes every event, each by the name of the thread that it may have to itself.
  Map<String, Consumer<EngineEvent>> byName() {
    Map<String, Consumer<EngineEvent>> folds = new TreeMap<>();
    folds.put("metrics", this::accept);
    if (prediction != null) {
      folds.put("prediction", prediction::accept);
    }
    return folds;
  }

  private void accept(EngineEvent event) {
    metrics.accept(event);
    if (event instanceof StepFailed failed) {
      lastFailure = afterAttempts(failed.cause());
    } else if (event instanceof TransferFailed failed) {
      lastFailure = afterAttempts(failed.cause());
    } else if (event instanceof SequenceFailed failed) {
      lastFailure = ": " + failed.cause();
    } else if (event instanceof RunStarted started) {
      maxAttempts = started.config().limits().maxAttempts();
    }
  }

  private String afterAttempts(String cause) {
    return " after %d attempts, the last of which failed: %s".formatted(maxAttempts, cause);
  }

  RunReport report() {
    return report;
  }

  /// How "was given up" goes on, of several requests for the last; empty where nothing failed.
  String lastFailure() {
    return lastFailure;
  }

  /// Puts all figures by their names in `--json`. For when the run has ended.
  void putFigures(ObjectNode json) {
    report.figures().forEach((name, value) -> json.set(name, MAPPER.valueToTree(value)));
  }

  @Override
  public void close() {
    if (csv != null) {
      csv.close();
    }
  }
}
