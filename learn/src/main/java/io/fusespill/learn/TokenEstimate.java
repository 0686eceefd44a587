package io.fusespill.learn;

/// How many tokens a text has, guessed without a tokenizer.
///
/// The text is cut into runs of one kind. A run of Latin letters is one token for each 12 letters
/// begun, digits one for each 3, punctuation and symbols one for each 3, line ends one a run, two
/// or more blanks one a run; a single blank belongs to the word behind it. A letter of another
/// script is a token of its own.
final class TokenEstimate {

  private static final int LETTERS = 12;
  private static final int DIGITS = 3;
  private static final int SYMBOLS = 3;

  private enum Kind {
    WORD,
    OTHER_LETTER,
    DIGIT,
    SYMBOL,
    NEWLINE,
    BLANK
  }

  private TokenEstimate() {}

  /// At least 1: a model that says nothing still samples the token that ends it.
  static int of(String text) {
    long tokens = 0;
    int run = 0;
    Kind kind = Kind.BLANK;
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      Kind next = kind(text.codePointAt(i));
      if (next != kind) {
        tokens += tokens(kind, run);
        kind = next;
        run = 0;
      }
      run++;
    }
    return (int) Math.max(1, tokens + tokens(kind, run));
  }

  private static int tokens(Kind kind, int run) {
    return switch (kind) {
      case WORD -> Math.ceilDiv(run, LETTERS);
      case OTHER_LETTER -> run;
      case DIGIT -> Math.ceilDiv(run, DIGITS);
      case SYMBOL -> Math.ceilDiv(run, SYMBOLS);
      case NEWLINE -> 1;
      case BLANK -> run > 1 ? 1 : 0;
    };
  }

  private static Kind kind(int character) {
    if (character == '\n' || character == '\r') {
      return Kind.NEWLINE;
    }
    if (Character.isWhitespace(character) || Character.isSpaceChar(character)) {
      return Kind.BLANK;
    }
    if (Character.isDigit(character)) {
      return Kind.DIGIT;
    }
    if (Character.isLetter(character)) {
      return Character.UnicodeScript.of(character) == Character.UnicodeScript.LATIN
          ? Kind.WORD
          : Kind.OTHER_LETTER;
    }
    return Kind.SYMBOL;
  }
}
