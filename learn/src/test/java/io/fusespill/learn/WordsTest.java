package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WordsTest {

  @Test
  void of_text_isInLowerCaseWithoutPunctuation() {
    Words words = Words.of("Write C++, don't-stop: 3.5!");

    assertThat(words.count()).isEqualTo(6);
    assertThat(words.get(1)).isEqualTo("c++");
    assertThat(words.get(2)).isEqualTo("don't");
    assertThat(words.orEmpty(6)).isEmpty();
  }

  @Test
  void contain_phrase_matchesWholeWordsOnly() {
    Words words = Words.of("Answer YES or no.");

    assertThat(words.contain("yes or no")).isTrue();
    assertThat(words.contain("answer")).isTrue();
    assertThat(words.contain("es or no")).isFalse();
    assertThat(Words.of("").contain("list")).isFalse();
  }

  @Test
  void countOfThings_numbersBeforeAPlural_takesTheFirst() {
    assertThat(Words.of("Give me 10 ideas and 3 tips").countOfThings()).isEqualTo(10);
    assertThat(Words.of("Name seven great books").countOfThings()).isEqualTo(7);
    assertThat(Words.of("Is 17 prime?").countOfThings()).isZero();
    assertThat(Words.of("Add 99999 apples").countOfThings()).isZero();
  }

  @Test
  void countOf_unit_inSingularAndPlural() {
    assertThat(Words.of("a 500-word essay").countOf("word")).isEqualTo(500);
    assertThat(Words.of("in three sentences").countOf("sentence")).isEqualTo(3);
    assertThat(Words.of("some words").countOf("word")).isZero();
  }
}
