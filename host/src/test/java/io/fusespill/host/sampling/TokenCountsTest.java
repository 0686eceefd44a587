package io.fusespill.host.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TokenCountsTest {

  @Test
  void counts_areThoseOfAnArray() {
    TokenCounts counts = new TokenCounts();
    int[] expected = new int[5000];
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 20_000; i++) {
      int token = random.nextInt(expected.length);
      if (i % 3 == 0) {
        counts.addPrompt(token);
      } else {
        counts.addOutput(token);
        expected[token]++;
      }
    }
    for (int token = 0; token < expected.length; token++) {
      assertThat(counts.outputs(token)).isEqualTo(expected[token]);
    }
  }

  @Test
  void aForksCounts_areItsOwn() {
    TokenCounts parent = new TokenCounts();
    parent.addOutput(3);
    TokenCounts fork = new TokenCounts(parent);
    fork.addOutput(3);
    fork.addOutput(4);
    assertThat(parent.outputs(3)).isEqualTo(1);
    assertThat(parent.outputs(4)).isZero();
    assertThat(fork.outputs(3)).isEqualTo(2);
  }

  @Test
  void promptTokens_countForRepetitionAlone() {
    TokenCounts counts = new TokenCounts();
    counts.addPrompt(0);
    counts.addPrompt(1);
    float[] logits = {2, -2, 1};
    counts.penalise(
        logits, SamplingParams.parse("{\"repetition_penalty\":2,\"presence_penalty\":1}"));
    assertThat(logits).containsExactly(1, -4, 1);
  }

  @Test
  void negativeIds_areRefused() {
    assertThatThrownBy(() -> new TokenCounts().addOutput(-1)).hasMessageContaining("-1");
  }
}
