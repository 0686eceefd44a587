package io.fusespill.replay.length;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.metrics.PredictionAccuracy;
import io.fusespill.engine.metrics.PredictionFigures;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Every predictor on published traces: the first half of the requests is learnt from, the second
/// half counts, and learning goes on. `-Dlength.report=true` prints the figures as the rows of
/// docs/length-prediction.md.
class PublishedTracesAccuracyTest {

  private static final String AZURE = "azure_llm_2023/AzureLLMInferenceTrace_conv.csv";
  private static final String MOONCAKE = "mooncake_fast25/conversation_trace.jsonl.gz";
  private static final String RAGPULSE = "ragpulse/0_trace.jsonl.gz";
  private static final String ARENA = "vtc_lmsys_arena/real_trace.csv";

  @Test
  void azureConversation_isPredictedBetterThanByProgress() {
    Map<PredictorKind, PredictionFigures> figures = figures(AZURE);

    PredictionFigures survival = figures.get(PredictorKind.KAPLAN_MEIER);
    assertThat(survival.orderedByMedian()).isGreaterThanOrEqualTo(0.83);
    assertThat(survival.orderedByMean()).isGreaterThanOrEqualTo(0.83);
    assertThat(survival.meanErrorOfMedian()).isLessThanOrEqualTo(43);
    assertCalibrated(survival);
    assertThat(figures.get(PredictorKind.MAXIMUM).orderedByMedian()).isLessThan(0.62);
  }

  @Test
  void mooncake_isPredictedBetterThanByProgress() {
    Map<PredictorKind, PredictionFigures> figures = figures(MOONCAKE);

    PredictionFigures survival = figures.get(PredictorKind.KAPLAN_MEIER);
    assertThat(survival.orderedByMedian()).isGreaterThanOrEqualTo(0.65);
    assertThat(survival.orderedByMean()).isGreaterThanOrEqualTo(0.65);
    assertThat(survival.meanErrorOfMedian()).isLessThanOrEqualTo(140);
    assertCalibrated(survival);
    assertThat(figures.get(PredictorKind.MAXIMUM).orderedByMedian()).isLessThan(0.63);
  }

  /// Not looked at while the predictor was designed.
  @Test
  void ragPulse_isPredictedBetterThanByProgress() {
    Map<PredictorKind, PredictionFigures> figures = figures(RAGPULSE);

    PredictionFigures survival = figures.get(PredictorKind.KAPLAN_MEIER);
    assertThat(survival.orderedByMean()).isGreaterThanOrEqualTo(0.69);
    assertThat(survival.orderedByMedian()).isGreaterThanOrEqualTo(0.67);
    assertThat(figures.get(PredictorKind.MAXIMUM).orderedByMedian()).isLessThan(0.64);
  }

  /// Not looked at either, and short: 750 requests to learn from. Progress alone orders better
  /// here.
  @Test
  void arena_hasSmallerErrorsThanTheBaselines() {
    Map<PredictorKind, PredictionFigures> figures = figures(ARENA);

    double error = figures.get(PredictorKind.KAPLAN_MEIER).meanErrorOfMedian();
    assertThat(error).isLessThan(figures.get(PredictorKind.NONE).meanErrorOfMedian());
    assertThat(error).isLessThan(figures.get(PredictorKind.LAST_VALUE).meanErrorOfMedian());
  }

  private static void assertCalibrated(PredictionFigures figures) {
    for (int i = 0; i < PredictionFigures.LEVELS.size(); i++) {
      assertThat(figures.calibration().get(i))
          .isCloseTo(PredictionFigures.LEVELS.get(i) / 1_000.0, within(0.03));
    }
  }

  private static Map<PredictorKind, PredictionFigures> figures(String name) {
    List<TraceRequest> trace = trace(SharedData.file(name));
    List<PredictionAccuracy> folds = new ArrayList<>();
    for (PredictorKind kind : PredictorKind.values()) {
      folds.add(
          new PredictionAccuracy(
              kind,
              request -> kind.oracle() ? trace.get(request.request()).outputTokens() : 0,
              trace.size() / 2));
    }
    new LockstepRun(trace, event -> folds.forEach(fold -> fold.accept(event))).run();
    Map<PredictorKind, PredictionFigures> figures = new EnumMap<>(PredictorKind.class);
    folds.forEach(fold -> figures.put(fold.figures().kind(), fold.figures()));
    report(name, figures);
    assertBounds(figures);
    return figures;
  }

  private static List<TraceRequest> trace(Path file) {
    List<TraceRequest> trace = new ArrayList<>();
    try (TraceReader reader = TraceFormat.detect(file).open(file, ReadOptions.ALL)) {
      reader.forEachRemaining(trace::add);
    }
    return trace;
  }

  /// `none` orders nothing, the oracle everything.
  private static void assertBounds(Map<PredictorKind, PredictionFigures> figures) {
    assertThat(figures.get(PredictorKind.NONE).orderedByMedian()).isEqualTo(0.5);
    assertThat(figures.get(PredictorKind.ORACLE).orderedByMedian()).isEqualTo(1);
    assertThat(figures.get(PredictorKind.ORACLE).meanErrorOfMean()).isZero();
  }

  private static void report(String name, Map<PredictorKind, PredictionFigures> figures) {
    if (Boolean.getBoolean("length.report")) {
      System.out.println(name);
      figures.values().forEach(row -> System.out.println(row(row)));
    }
  }

  private static String row(PredictionFigures figures) {
    return String.format(
        Locale.ROOT,
        "| %s | %d | %.3f | %.3f | %.1f | %d | %.1f | %.1f | %s | %s |",
        figures.kind().label(),
        figures.moments(),
        figures.orderedByMedian(),
        figures.orderedByMean(),
        figures.meanErrorOfMedian(),
        figures.medianErrorOfMedian(),
        figures.meanErrorOfMean(),
        figures.bias(),
        figures.calibration().stream()
            .map(share -> String.format(Locale.ROOT, "%.3f", share))
            .collect(Collectors.joining(" ")),
        figures.bands().stream()
            .map(band -> String.format(Locale.ROOT, "%.0f", band.meanErrorOfMedian()))
            .collect(Collectors.joining(" ")));
  }
}
