package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TreeFitterTest {

  /// Half of the prompts have 1 question mark and a target of 3, the others 2 and a target of 8.
  @Test
  void fit_aStep_isFoundOnItsRightSides() {
    int asked = PromptFeatures.index("question marks");
    double[][] features = new double[40][PromptFeatures.count()];
    double[] targets = new double[40];
    for (int i = 0; i < 40; i++) {
      features[i][PromptFeatures.PROMPT_TOKENS] = 5;
      features[i][asked] = 1 + i % 2;
      targets[i] = i % 2 == 0 ? 3 : 8;
    }
    int[] all = IntStream.range(0, 40).toArray();

    Tree tree = new TreeFitter(features).fit(all, new int[] {asked}, targets, 0.5);

    assertThat(tree.value(features[0])).isCloseTo(1.5, within(1e-9));
    assertThat(tree.value(features[1])).isCloseTo(4, within(1e-9));
    // a feature that is not to be used leaves nothing but the mean
    Tree blind =
        new TreeFitter(features).fit(all, new int[] {PromptFeatures.PROMPT_TOKENS}, targets, 1);
    assertThat(blind).isInstanceOf(Tree.Leaf.class);
    assertThat(blind.value(features[0])).isCloseTo(5.5, within(1e-9));
  }

  /// What is 0 is not in the data at all, and must be on the lower side.
  @Test
  void fit_presence_isAsked() {
    int list = PromptFeatures.index("\"list\"");
    double[][] features = new double[60][PromptFeatures.count()];
    double[] targets = new double[60];
    for (int i = 0; i < 60; i++) {
      features[i][PromptFeatures.PROMPT_TOKENS] = 1 + i % 4;
      features[i][list] = i % 3 == 0 ? 1 : 0;
      targets[i] = i % 3 == 0 ? 6 : 2;
    }

    Tree tree =
        new TreeFitter(features)
            .fit(IntStream.range(0, 60).toArray(), new int[] {list}, targets, 1);

    assertThat(tree.value(features[0])).isCloseTo(6, within(1e-9));
    assertThat(tree.value(features[1])).isCloseTo(2, within(1e-9));
  }
}
