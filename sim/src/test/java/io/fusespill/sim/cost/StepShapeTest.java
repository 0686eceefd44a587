package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.profile.ProfileException;
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

  private static void assertProblem(Runnable action, String expected) {
    assertThatThrownBy(action::run)
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining(expected);
  }
}
