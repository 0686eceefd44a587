package io.fusespill.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class IntsTest {

  @Test
  void of_copiesItsArray() {
    int[] values = {1, 2, 3};
    Ints ints = Ints.of(values);
    Ints firstTwo = Ints.copyOf(values, 2);
    values[0] = 9;
    ints.toArray()[1] = 9;
    assertThat(ints)
        .isEqualTo(Ints.of(1, 2, 3))
        .hasSameHashCodeAs(Ints.of(1, 2, 3))
        .hasToString("[1, 2, 3]");
    assertThat(firstTwo).isEqualTo(Ints.of(1, 2)).isNotEqualTo(ints);
  }

  @Test
  void of_nothing_isEmpty() {
    assertThat(Ints.of()).isSameAs(Ints.EMPTY).isSameAs(Ints.copyOf(new int[] {1}, 0));
    assertThat(Ints.EMPTY.isEmpty()).isTrue();
    assertThat(Ints.EMPTY.contains(0)).isFalse();
  }

  @Test
  void matches_comparesTheFirstValuesOnly() {
    Ints ints = Ints.of(1, 2);
    assertThat(ints.matches(new int[] {1, 2, 3}, 2)).isTrue();
    assertThat(ints.matches(new int[] {1, 2, 3}, 3)).isFalse();
    assertThat(ints.matches(new int[] {1, 3}, 2)).isFalse();
    assertThat(ints.matches(new int[] {1, 2}, 1)).isFalse();
    assertThat(ints.contains(2)).isTrue();
    assertThat(ints.contains(3)).isFalse();
  }
}
