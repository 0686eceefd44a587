package io.fusespill.traces;

/// A value from a file as an error message shows it.
final class Excerpt {

  private static final int MAX_CHARACTERS = 120;

  private Excerpt() {}

  static String of(String text) {
    return text.length() <= MAX_CHARACTERS ? text : text.substring(0, MAX_CHARACTERS) + "…";
  }
}
