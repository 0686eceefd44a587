package io.fusespill.traces;

/// The text of a field that counts tokens.
final class TokenCount {

  private static final int MAX_DIGITS = 18;

  private TokenCount() {}

  static int parse(String field, String text) {
    return parse(field, text, 1, "1");
  }

  /// A declared length, or 0 for none.
  static int parseDeclared(String field, String text) {
    return parse(field, text, 0, "0 (none)");
  }

  private static int parse(String field, String text, int min, String least) {
    long value = whole(text);
    if (value < min || value > TraceLimits.MAX_TOKENS) {
      throw new InvalidRowException(
          "%s is \"%s\", must be a whole number %s to %d"
              .formatted(field, Excerpt.of(text), least, TraceLimits.MAX_TOKENS));
    }
    return (int) value;
  }

  /// The whole number that the text is, with or without `.0`, which a table has where the column is
  /// one of floats; -1 if it is none.
  static long whole(String text) {
    int last = text.length();
    while (last > 0 && text.charAt(last - 1) == '0') {
      last--;
    }
    boolean fraction = last > 0 && last < text.length() && text.charAt(last - 1) == '.';
    int end = fraction ? last - 1 : text.length();
    long value = end == 0 || end > MAX_DIGITS ? -1 : 0;
    for (int i = 0; i < end && value >= 0; i++) {
      int digit = text.charAt(i) - '0';
      value = digit >= 0 && digit <= 9 ? 10 * value + digit : -1;
    }
    return value;
  }
}
