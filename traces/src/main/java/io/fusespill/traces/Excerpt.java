package io.fusespill.traces;

/// A value from a file as an error message shows it.
final class Excerpt {

  private static final int MAX_CHARACTERS = 120;

  private Excerpt() {}

  /// The text's beginning, with control characters escaped: they would move the terminal's cursor.
  static String of(String text) {
    return text.length() <= MAX_CHARACTERS
        ? escaped(text)
        : escaped(text.substring(0, MAX_CHARACTERS)) + "…";
  }

  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c)) {
        escaped.append("\\u%04x".formatted((int) c));
      } else {
        escaped.append(c);
      }
    }
    return escaped.toString();
  }
}
