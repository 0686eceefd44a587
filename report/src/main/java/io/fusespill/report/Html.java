package io.fusespill.report;

/// HTML text, put together.
final class Html {

  private final StringBuilder text = new StringBuilder(1 << 16);

  /// Adds markup as it is.
  Html raw(String markup) {
    text.append(markup);
    return this;
  }

  /// Adds markup with texts in it: each `%s` stands for one, escaped.
  Html add(String markup, Object... texts) {
    int from = 0;
    for (Object part : texts) {
      int at = markup.indexOf("%s", from);
      text.append(markup, from, at).append(escape(part.toString()));
      from = at + 2;
    }
    text.append(markup, from, markup.length());
    return this;
  }

  /// Text as it may stand between tags and in quoted attributes.
  static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /// JSON as it may stand in a script element.
  static String script(String json) {
    return json.replace("<", "\\u003c");
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
