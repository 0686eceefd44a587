package io.fusespill.engine.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.metrics.PredictionFigures.Band;
import io.fusespill.engine.plan.TransferMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Figures that were computed by hand.
class PredictionAccuracyTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private static PredictionAccuracy measure(PredictionAccuracy accuracy, Run run) {
    run.log().forEach(accuracy::accept);
    return accuracy;
  }

  private static PredictionAccuracy measure(PredictorKind kind, Run run) {
    return measure(new PredictionAccuracy(kind), run);
  }

  /// Ended sequences as prompt, output, prompt, output, …; those cut off with a negative output.
  private static long fingerprint(int... sequences) {
    LengthPredictor predictor = PredictorKind.MAXIMUM.create(64);
    for (int i = 0; i < sequences.length; i += 2) {
      predictor.observe(sequences[i], Math.abs(sequences[i + 1]), sequences[i + 1] < 0);
    }
    return predictor.fingerprint();
  }

  /// Three sequences from one step on: the first stops after 5 tokens, the second after 12, the
  /// third is cut at its maximum of 10.
  private Run three() {
    Run run = engine.given().device(40).start();
    run.arrives(4, 40).arrives(4, 40).arrives(4, 10).thenWhatever();
    for (int token = 1; token <= 12; token++) {
      if (token == 5) {
        run.completes(0, 0);
      } else if (token == 12) {
        run.completes(0, 1);
      } else {
        run.completes(0);
      }
      run.thenWhatever();
    }
    return run;
  }

  /// Predicted are 40, 40 and 10; 5, 12 and 10 come. Of the pairs one is equal, one right, one
  /// wrong.
  @Test
  void maximum_isMeasuredAgainstWhatCame() {
    PredictionFigures figures = measure(PredictorKind.MAXIMUM, three()).figures();
    assertThat(figures.moments()).isEqualTo(3);
    assertThat(figures.meanErrorOfMedian()).isCloseTo((35 + 28 + 0) / 3.0, within(1e-9));
    assertThat(figures.meanErrorOfMean()).isEqualTo(figures.meanErrorOfMedian());
    assertThat(figures.medianErrorOfMedian()).isEqualTo(28);
    assertThat(figures.bias()).isCloseTo(21, within(1e-9));
    assertThat(figures.pairs()).isEqualTo(3);
    assertThat(figures.orderedByMedian()).isEqualTo(0.5);
    assertThat(figures.orderedByMean()).isEqualTo(0.5);
    assertThat(figures.calibration()).containsExactly(1.0, 1.0, 1.0, 1.0);
    assertThat(figures.bands().getFirst()).isEqualTo(new Band(0, 3, 21));
    assertThat(figures.bands()).hasSize(5);
  }

  @Test
  void oracle_withTheTruthAsHint_isRight() {
    int[] truth = {5, 12, 10};
    PredictionAccuracy accuracy =
        new PredictionAccuracy(PredictorKind.ORACLE, request -> truth[request.request()], 0);
    PredictionFigures figures = measure(accuracy, three()).figures();
    assertThat(figures.kind()).isEqualTo(PredictorKind.ORACLE);
    assertThat(figures.meanErrorOfMean()).isZero();
    assertThat(figures.orderedByMean()).isEqualTo(1);
  }

  /// Of 40 tokens foretold the longest context leaves 6.
  @Test
  void oracle_whoseSequenceIsCutAtTheLongestContext_isRight() {
    Run run = engine.given().maxModelTokens(9).device(40).start();
    run.arrivesForetold(4, 40).drains();
    PredictionFigures figures = measure(PredictorKind.ORACLE, run).figures();
    assertThat(figures.moments()).isEqualTo(1);
    assertThat(figures.meanErrorOfMedian()).isZero();
    assertThat(figures.meanErrorOfMean()).isZero();
  }

  @Test
  void warmUp_isLearntFromAndNotCounted() {
    PredictionAccuracy accuracy =
        measure(new PredictionAccuracy(PredictorKind.MAXIMUM, request -> 0, 1), three());
    assertThat(accuracy.figures().moments()).isEqualTo(2);
    assertThat(accuracy.figures().pairs()).isEqualTo(1);
    assertThat(accuracy.predictor().fingerprint()).isEqualTo(fingerprint(4, 5, 4, -10, 4, 12));
  }

  @Test
  void predictor_learnsInOrderOfEnding() {
    assertThat(measure(PredictorKind.MAXIMUM, three()).predictor().fingerprint())
        .isEqualTo(fingerprint(4, 5, 4, -10, 4, 12));
  }

  /// Steps 0 and 16 are sampled, with 0 and 16 tokens generated of 20.
  @Test
  void everySixteenthStep_isSampled() {
    Run run = engine.given().device(40).start();
    run.arrives(4, 20).drains();
    PredictionFigures figures = measure(PredictorKind.MAXIMUM, run).figures();
    assertThat(figures.moments()).isEqualTo(2);
    assertThat(figures.meanErrorOfMedian()).isZero();
    assertThat(figures.pairs()).isZero();
  }

  @Test
  void cancelled_isLearntFromAndNotCounted() {
    Run run = engine.given().start();
    run.arrives(4, 9).thenWhatever();
    run.completes(0).thenWhatever();
    run.cancels(0).completes(0).then("finish 0 CANCELLED");
    PredictionAccuracy accuracy = measure(PredictorKind.MAXIMUM, run);
    assertThat(accuracy.figures().moments()).isZero();
    assertThat(accuracy.predictor().fingerprint()).isEqualTo(fingerprint(4, -2));
  }

  @Test
  void stepFailed_producesNothing() {
    Run run = engine.given().start();
    run.arrives(4, 2).thenWhatever();
    run.fails(0).thenWhatever();
    run.drains();
    assertThat(measure(PredictorKind.MAXIMUM, run).predictor().fingerprint())
        .isEqualTo(fingerprint(4, -2));
  }

  /// The device's step decodes for a sequence whose KV lies on the host.
  @Test
  void stepOnALostHost_producesNothing() {
    Run run = engine.given().byHand().device(8).attendingHost(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ASYNC, 0).thenWhatever();
    run.transferCompletes(0).decodesRemotely(0, 0).thenWhatever();
    run.placeFails(1).then();
    run.completes(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    run.cancels(0).then("finish 0 CANCELLED");
    assertThat(measure(PredictorKind.MAXIMUM, run).predictor().fingerprint())
        .isEqualTo(fingerprint(4, -1));
  }

  @Test
  void preempted_keepsItsOutput() {
    Run run = engine.given().policy("vllm-0.2.7").device(4).start();
    run.arrives(4, 3).arrives(4, 3).arrives(4, 3).drains();
    assertThat(measure(PredictorKind.MAXIMUM, run).predictor().fingerprint())
        .isEqualTo(fingerprint(4, -3, 4, -3, 4, -3));
  }

  @Test
  void samples_areSequencesOfTheirOwn() {
    Run run = engine.given().start();
    run.arrives(4, 3, 2).thenWhatever();
    run.completes(0).thenWhatever();
    run.completes(0, 1).then("finish 1 STOP", "step 0@5+1");
    run.completes(0).then("finish 0 LENGTH");
    PredictionAccuracy accuracy = measure(PredictorKind.MAXIMUM, run);
    assertThat(accuracy.predictor().fingerprint()).isEqualTo(fingerprint(4, 2, 4, -3));
    assertThat(accuracy.figures().moments()).isEqualTo(1);
  }

  @Test
  void rejected_isForgotten() {
    Run run = engine.given().maxModelTokens(20).device(4).start();
    run.arrives(21, 1).arrives(4, 1).drains();
    PredictionAccuracy accuracy = measure(PredictorKind.MAXIMUM, run);
    assertThat(accuracy.predictor().fingerprint()).isEqualTo(fingerprint(4, -1));
  }
}
