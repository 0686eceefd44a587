package io.fusespill.replay.timeline;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.metrics.PredictionAccuracy;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What the run's length predictor foretold of sequences in steps against what came, in output
/// tokens. Empty for a run without a predictor.
public final class RemainingLengths {

  /// Pairs are of each so many-th step of a device.
  public static final int STEPS_BETWEEN_SAMPLES = 32;

  private final Pairs pairs = new Pairs();
  private @Nullable PredictionAccuracy accuracy;
  private @Nullable PredictorKind kind;

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    if (event instanceof RunStarted started
        && !started.config().predictor().equals(EngineConfig.NO_PREDICTOR)) {
      kind = PredictorKind.named(started.config().predictor());
      accuracy =
          new PredictionAccuracy(
              kind,
              STEPS_BETWEEN_SAMPLES,
              (generated, median, remaining) -> add(median, remaining));
    }
    if (accuracy != null) {
      accuracy.accept(event);
    }
  }

  /// Steps ahead of an end that was not known yet have nothing remaining.
  private void add(int median, int remaining) {
    if (remaining > 0) {
      pairs.add(median, remaining);
    }
  }

  /// The run's predictor.
  public Optional<PredictorKind> predictor() {
    return Optional.ofNullable(kind);
  }

  public Pairs pairs() {
    return pairs;
  }
}
