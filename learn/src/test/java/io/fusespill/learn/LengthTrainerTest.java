package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LengthTrainerTest {

  @TempDir private Path folder;

  @Test
  void train_textTellsTheLength_beatsThePromptsLength() {
    LengthTrainer.Result result = train(Prompts.telling(600), 7);
    Evaluation evaluation = result.evaluation();

    assertThat(evaluation.beatsTextBlind()).isTrue();
    assertThat(evaluation.learned().pairwiseAccuracy()).isGreaterThan(0.85);
    assertThat(evaluation.learned().meanAbsoluteError())
        .isLessThan(evaluation.textBlindError() / 2);
    assertThat(evaluation.globalMedian().pairwiseAccuracy()).isEqualTo(0.5);
    assertThat(result.model().outputTokens(Prompts.request("Answer yes or no, is it?", 1)))
        .isLessThan(50);
  }

  @Test
  void train_textTellsNothing_doesNotBeatIt() {
    for (long seed = 0; seed < 5; seed++) {
      Evaluation evaluation = train(Prompts.silent(300), seed).evaluation();

      assertThat(evaluation.beatsTextBlind()).as("seed %d: %s", seed, evaluation).isFalse();
    }
  }

  @Test
  void train_sameDataAndSeed_givesTheSameBytes() throws IOException {
    List<TextRequest> requests = Prompts.telling(200);
    train(requests, 3).model().write(folder.resolve("a"));
    train(requests, 3).model().write(folder.resolve("b"));
    train(requests, 4).model().write(folder.resolve("c"));

    assertThat(Files.mismatch(folder.resolve("a"), folder.resolve("b"))).isEqualTo(-1);
    assertThat(Files.mismatch(folder.resolve("a"), folder.resolve("c"))).isNotEqualTo(-1);
  }

  @Test
  void train_samePromptTwice_isHeldOutAsAWhole() {
    List<TextRequest> requests = new ArrayList<>(Prompts.telling(100));
    requests.addAll(Prompts.telling(100));

    Evaluation evaluation = train(requests, 0).evaluation();

    assertThat(evaluation.heldOutRequests()).isEqualTo(40);
    assertThat(evaluation.trainingRequests()).isEqualTo(160);
  }

  @Test
  void train_allOutputsAlike_isNoBetterAndCanBeWritten() {
    List<TextRequest> requests =
        Prompts.telling(100).stream()
            .map(request -> Prompts.request(request.prompt(), 17))
            .toList();

    LengthTrainer.Result result = train(requests, 0);

    assertThat(result.evaluation().learned().meanAbsoluteError()).isZero();
    assertThat(result.evaluation().learned().pairwiseAccuracy()).isNaN();
    assertThat(result.evaluation().beatsTextBlind()).isFalse();
    result.model().write(folder.resolve("model"));
    assertThat(LengthModel.read(folder.resolve("model")).evaluation())
        .isEqualTo(result.evaluation());
  }

  @Test
  void train_tooFewPrompts_namesHowMany() {
    assertThatThrownBy(() -> train(Prompts.telling(49), 0))
        .isInstanceOf(LengthModelException.class)
        .hasMessage("49 different prompts to train on, must be at least 50; add data");
  }

  @Test
  void constructor_holdoutOutOfRange_namesTheValue() {
    for (double holdout : new double[] {0, 0.04, 0.51, Double.NaN}) {
      assertThatThrownBy(() -> new LengthTrainer(0, holdout))
          .isInstanceOf(LengthModelException.class)
          .hasMessage("holdout is %s, must be 0.05 to 0.5".formatted(holdout));
    }
  }

  private static LengthTrainer.Result train(List<TextRequest> requests, long seed) {
    return new LengthTrainer(seed, 0.2).train(requests, count -> {});
  }
}
