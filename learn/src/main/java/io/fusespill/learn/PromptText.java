package io.fusespill.learn;

/// A prompt's characters, counted once.
///
/// @param ascii how often each ASCII character occurs
/// @param lines at least 1
record PromptText(
    int promptTokens,
    int characters,
    int lines,
    int letters,
    int digits,
    int capitals,
    int beyondAscii,
    @SuppressWarnings("ArrayRecordComponent") int[] ascii,
    char last) {

  private static final int ASCII = 128;

  static PromptText of(String prompt, int promptTokens) {
    String text = prompt.strip();
    int[] ascii = new int[ASCII];
    int letters = 0;
    int digits = 0;
    int capitals = 0;
    int beyondAscii = 0;
    for (int i = 0; i < text.length(); i++) {
      char character = text.charAt(i);
      if (character < ASCII) {
        ascii[character]++;
      } else {
        beyondAscii++;
      }
      letters += Character.isLetter(character) ? 1 : 0;
      digits += Character.isDigit(character) ? 1 : 0;
      capitals += Character.isUpperCase(character) ? 1 : 0;
    }
    return new PromptText(
        promptTokens,
        text.length(),
        1 + ascii['\n'],
        letters,
        digits,
        capitals,
        beyondAscii,
        ascii,
        text.isEmpty() ? ' ' : text.charAt(text.length() - 1));
  }

  int count(char character) {
    return ascii[character];
  }

  double share(int count) {
    return (double) count / Math.max(1, characters);
  }

  double endsWith(char character) {
    return last == character ? 1 : 0;
  }
}
