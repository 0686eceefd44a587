package io.fusespill.learn;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The words of a text in lower case: runs of letters, digits, `+`, `#` and `'`.
final class Words {

  private static final List<String> NUMBERS =
      List.of(
          "two",
          "three",
          "four",
          "five",
          "six",
          "seven",
          "eight",
          "nine",
          "ten",
          "eleven",
          "twelve",
          "thirteen",
          "fourteen",
          "fifteen",
          "sixteen",
          "seventeen",
          "eighteen",
          "nineteen",
          "twenty");
  private static final int NUMBER_DIGITS = 4;

  private final List<String> words;
  private final String joined;

  private Words(List<String> words) {
    this.words = words;
    this.joined = " " + String.join(" ", words) + " ";
  }

  static Words of(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    List<String> words = new ArrayList<>();
    int from = 0;
    for (int i = 0; i <= lower.length(); i++) {
      if (i == lower.length() || !isPart(lower.charAt(i))) {
        if (i > from) {
          words.add(lower.substring(from, i));
        }
        from = i + 1;
      }
    }
    return new Words(words);
  }

  private static boolean isPart(char character) {
    return Character.isLetterOrDigit(character)
        || character == '+'
        || character == '#'
        || character == '\'';
  }

  int count() {
    return words.size();
  }

  String get(int index) {
    return words.get(index);
  }

  /// The word at `index`, or an empty one behind the end.
  String orEmpty(int index) {
    return index < words.size() ? words.get(index) : "";
  }

  /// Whether these words stand somewhere in this order.
  boolean contain(String phrase) {
    return joined.contains(" " + phrase + " ");
  }

  /// The first number in front of `unit` or of `unit` with an `s`; 0 where there is none.
  int countOf(String unit) {
    for (int i = 0; i + 1 < words.size(); i++) {
      String next = words.get(i + 1);
      if (next.equals(unit) || next.equals(unit + "s")) {
        int number = number(words.get(i));
        if (number > 0) {
          return number;
        }
      }
    }
    return 0;
  }

  /// The first number that one of the two words behind it, in the plural, makes a number of things.
  int countOfThings() {
    for (int i = 0; i + 1 < words.size(); i++) {
      int number = number(words.get(i));
      if (number > 1 && (isPlural(words.get(i + 1)) || isPlural(orEmpty(i + 2)))) {
        return number;
      }
    }
    return 0;
  }

  private static boolean isPlural(String word) {
    return word.length() > 3 && word.endsWith("s") && !word.endsWith("ss");
  }

  /// A number in digits or letters, else 0.
  private static int number(String word) {
    int spelled = NUMBERS.indexOf(word);
    if (spelled >= 0) {
      return spelled + 2;
    }
    if (word.length() > NUMBER_DIGITS || !word.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return 0;
    }
    return Integer.parseInt(word);
  }
}
