package io.fusespill.host.tokenizer;

/// What Jinja does with comments and with the whitespace around tags under `trim_blocks` and
/// `lstrip_blocks`, done to the template's text beforehand.
///
/// A newline right behind a block or comment goes, and so does the indentation before one that is
/// the first on its line; `+%}` and `{%+` keep them. `-` takes all whitespace on its side. One
/// newline at the very end goes. Jinjava's own settings of these names also take spaces in the
/// middle of a line. It takes the braces of a dictionary in a dictionary for a tag's end, so they
/// are set apart.
final class PythonWhitespace {

  private static final int OPENING_CHARS = 2;

  private final String template;
  private final StringBuilder out = new StringBuilder();

  private PythonWhitespace(String template) {
    this.template = template;
  }

  static String apply(String template) {
    return new PythonWhitespace(
            template.endsWith("\n") ? template.substring(0, template.length() - 1) : template)
        .apply();
  }

  private String apply() {
    int at = 0;
    // Whether the text at hand begins a line of the template.
    boolean lineStarts = true;
    int open = opening(at);
    while (open >= 0) {
      char kind = template.charAt(open + 1);
      int from = open + OPENING_CHARS;
      int end = end(from, kind);
      char before = sign(kind, charAt(from));
      char behind = end > from ? sign(kind, template.charAt(end - 1)) : 0;
      out.append(before(template.substring(at, open), kind, before, lineStarts));
      if (kind != '#') {
        out.append(template, open, from);
        appendInside(before == 0 ? from : from + 1, behind == 0 ? end : end - 1);
        out.append(template, end, Math.min(template.length(), end + OPENING_CHARS));
      }
      at = Math.min(template.length(), end + OPENING_CHARS);
      lineStarts = kind != '{' && behind == 0 && charAt(at) == '\n';
      if (lineStarts) {
        at++;
      }
      while (behind == '-' && Character.isWhitespace(charAt(at))) {
        at++;
      }
      open = opening(at);
    }
    return out.append(template, at, template.length()).toString();
  }

  /// What a tag says about the whitespace beside it; 0 for nothing. Expressions may begin with
  /// plus.
  private static char sign(char kind, char c) {
    return c == '-' || (c == '+' && kind != '{') ? c : 0;
  }

  /// The text before a tag, as far as the tag leaves it.
  private static String before(String text, char kind, char sign, boolean lineStarts) {
    if (sign == '-') {
      return text.stripTrailing();
    }
    return kind == '{' || sign == '+' ? text : unindented(text, lineStarts);
  }

  private static String unindented(String text, boolean lineStarts) {
    int line = text.lastIndexOf('\n') + 1;
    boolean first = line > 0 || lineStarts;
    return first && text.substring(line).isBlank() ? text.substring(0, line) : text;
  }

  /// Where the next tag opens; -1 if there is none.
  private int opening(int from) {
    for (int i = template.indexOf('{', from); i >= 0; i = template.indexOf('{', i + 1)) {
      char next = charAt(i + 1);
      if (next == '{' || next == '%' || next == '#') {
        return i;
      }
    }
    return -1;
  }

  /// Where the closing of a tag is whose inside begins there; strings and dictionaries may hold
  /// what looks like it.
  private int end(int from, char kind) {
    char closing = kind == '{' ? '}' : kind;
    int braces = 0;
    for (int i = from; i < template.length(); i++) {
      char c = template.charAt(i);
      if (c == closing && charAt(i + 1) == '}' && braces == 0) {
        return i;
      }
      if (kind == '#') {
        continue;
      }
      if (c == '\'' || c == '"') {
        i = stringEnd(i);
      } else if (c == '{') {
        braces++;
      } else if (c == '}' && braces > 0) {
        braces--;
      }
    }
    return template.length();
  }

  private void appendInside(int from, int to) {
    for (int i = from; i < to; i++) {
      char c = template.charAt(i);
      if (c == '\'' || c == '"') {
        int end = stringEnd(i);
        out.append(template, i, Math.min(end + 1, to));
        i = end;
      } else {
        out.append(c);
        if (c == '}') {
          out.append(' ');
        }
      }
    }
  }

  /// Where the string ends whose opening quote is there.
  private int stringEnd(int open) {
    char quote = template.charAt(open);
    int i = open + 1;
    while (i < template.length() && template.charAt(i) != quote) {
      i += template.charAt(i) == '\\' ? 2 : 1;
    }
    return i;
  }

  private char charAt(int i) {
    return i < template.length() ? template.charAt(i) : 0;
  }
}
