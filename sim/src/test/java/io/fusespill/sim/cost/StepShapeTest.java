package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.sim.profile.ProfileException;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepShapeTest {

  @Test
  void pairs_areThoseOfTheCausalMask() {
    for (int before = 0; before <= 6; before++) {
      for (int tokens = 0; tokens <= 6; tokens++) {
        int visible = 0;
        for (int token = 0; token < tokens; token++) {
          visible += before + token + 1;
        }
        assertThat(StepShape.pairs(before, tokens)).isEqualTo(visible);
      }
    }
  }

  @Test
  void pairs_inChunks_areThoseOfTheWhole() {
    assertThat(StepShape.pairs(0, 300) + StepShape.pairs(300, 212))
        .isEqualTo(StepShape.pairs(0, 512));
  }

  @Test
  void new_valueOutOfRange_isNamed() {
    assertProblem(() -> new StepShape(-1, 0, 0, 0, 0, 0, 0), "decodes is -1");
    assertProblem(() -> new StepShape(1, -1, 0, 0, 0, 1, 1), "decodeContextTokens is -1");
    assertProblem(() -> new StepShape(0, 0, -1, 0, 0, 0, 0), "prefills is -1");
    assertProblem(() -> new StepShape(0, 0, 2, 1, 1, 2, 0), "prefillTokens is 1");
    assertProblem(() -> new StepShape(0, 0, 1, 1, -1, 1, 0), "prefillContextPairs is -1");
    assertProblem(() -> new StepShape(2, 9, 1, 5, 15, 6, 3), "computedTokens is 6, must be 7 to");
    assertProblem(() -> new StepShape(1, 1, 0, 0, 0, 1, -1), "sampledTokens is -1");
  }

  /// Decodes of 11, 101 and 51 tokens of context, a chunk, and a decode whose KV lies elsewhere.
  @Test
  void of_countsWhatDecodesWouldReadIfAllWereAsLongAsTheLongest() {
    StepPlan plan =
        new StepPlan(
            0,
            0,
            Ints.of(0, 1, 2, 3, 4),
            Ints.of(1, 1, 1, 20, 1),
            Ints.of(10, 100, 50, 40, 500),
            Ints.EMPTY,
            List.of(),
            Ints.EMPTY,
            30,
            1,
            1);

    StepShape shape = StepShape.of(plan);

    assertThat(shape.decodes()).isEqualTo(3);
    assertThat(shape.decodeContextTokens()).isEqualTo(11 + 101 + 51);
    assertThat(shape.decodeContextPadding()).isEqualTo(90 + 50);
    assertThat(shape.withoutPadding().decodeContextPadding()).isEqualTo(140);
    assertThat(StepFeature.DECODE_CONTEXT_PADDING.of(shape)).isEqualTo(140);
    assertThat(StepFeature.DECODE_CONTEXT_EXCESS.of(shape)).isEqualTo(46);
    assertThat(StepFeature.DECODE_CONTEXT_EXCESS.of(new StepShape(0, 0, 1, 9, 9, 9, 1))).isZero();
    assertProblem(
        () -> new StepShape(1, 9, 0, 0, 0, 1, 1).withContextPadding(1),
        "decodeContextPadding is 1");
  }

  private static void assertProblem(Runnable action, String expected) {
    assertThatThrownBy(action::run)
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining(expected);
  }
}
