package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PromptFeaturesTest {

  @Test
  void of_prompt_hasItsCountsUnderTheirNames() {
    String prompt = "List 10 ideas: what, why?\n```x = {1};```";
    double[] features = PromptFeatures.of(prompt, 12);

    assertThat(value(features, "prompt tokens")).isEqualTo(12);
    assertThat(value(features, "lines")).isEqualTo(2);
    assertThat(value(features, "words")).isEqualTo(7);
    assertThat(value(features, "question marks")).isEqualTo(1);
    assertThat(value(features, "code fences")).isEqualTo(2);
    assertThat(value(features, "braces")).isEqualTo(2);
    assertThat(value(features, "things asked for")).isEqualTo(10);
    assertThat(value(features, "\"list\"")).isEqualTo(1);
    assertThat(value(features, "\"essay\"")).isZero();
    // 3 of 40 characters, in 64ths: 4.8
    assertThat(value(features, "share of digits")).isEqualTo(5 / 64.0);
  }

  @Test
  void of_longPrompt_isCountedInCoarseSteps() {
    double[] features = PromptFeatures.of("x".repeat(1003), 1003);

    assertThat(value(features, "characters")).isEqualTo(1024);
    assertThat(value(features, "prompt tokens")).isEqualTo(1024);
  }

  @Test
  void of_anything_isFinite() {
    for (String prompt : List.of("?", "\u0000\ud800", "日本語", " a ", "\n\n.\n", "'")) {
      double[] features = PromptFeatures.of(prompt, 1);

      assertThat(features).hasSize(PromptFeatures.count());
      assertThat(Arrays.stream(features).allMatch(Double::isFinite)).isTrue();
      assertThat(features[PromptFeatures.PROMPT_TOKENS]).isEqualTo(1);
    }
  }

  @Test
  void name_eachIndex_leadsBack() {
    for (int i = 0; i < PromptFeatures.count(); i++) {
      assertThat(PromptFeatures.index(PromptFeatures.name(i))).isEqualTo(i);
    }
    assertThat(PromptFeatures.index("no such")).isEqualTo(-1);
    assertThat(PromptFeatures.name(PromptFeatures.PROMPT_TOKENS)).isEqualTo("prompt tokens");
  }

  private static double value(double[] features, String name) {
    return features[PromptFeatures.index(name)];
  }
}
