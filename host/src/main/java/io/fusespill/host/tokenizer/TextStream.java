package io.fusespill.host.tokenizer;

import java.util.Arrays;
import java.util.List;

/// The text of an output while its tokens come in: never half a character, never part of a stop
/// string.
///
/// What was given out is final. Together it is the decoded output up to the first stop string. One
/// exception is inherent: decoders with byte fallback turn a whole run of byte tokens into U+FFFD
/// once one of it fits no character; characters of the run that were complete before have been
/// given out by then. Not thread-safe.
public final class TextStream {

  private static final char REPLACEMENT = '\ufffd';

  /// Tokens of the prompt that are enough for a decoder to see where the output begins.
  private static final int CONTEXT_TOKENS = 6;

  /// Tokens that may wait for the rest of a character before it is looked whether they are in vain:
  /// a character has at most 4 bytes.
  private static final int WAITING_TOKENS = 48;

  /// Tokens that say how such a text goes on.
  private static final int KEPT_TOKENS = 16;

  /// Characters that the rest of one may still change: U+FFFD for each of its bytes so far.
  private static final int UNSETTLED = 3;

  private final Tokenizer tokenizer;
  private final List<String> stops;
  private final int minTokens;

  /*
   * The window. Decoders look at neighbours (the first token's leading space, runs of bytes), so a
   * token's text is the difference of two decodes that begin at the same place:
   *
   *   ids:  ... | given out, begins the window | not yet given out |
   *             start                          read                size
   *
   * `shown` characters of decode(start, size) have been given out. When the text ends in a whole
   * character the window moves on: what was new becomes the next window's beginning. Where bytes that fit no
   * character keep it from that, the window's end goes on alone as soon as it is decoded as in the window, whatever
   * of its last bytes are still to come.
   */
  private int[] ids = new int[16];
  private int size;
  private int read;
  private int shown;

  private final StringBuilder held = new StringBuilder();
  private int tokens;
  private boolean stopped;

  /// @param promptIds what the output goes on from: whether a word's space is its own depends on
  ///   it; empty for the output's text by itself
  /// @param stops texts that end the output
  /// @param minTokens output tokens before a stop string counts; text up to there is not searched
  public TextStream(Tokenizer tokenizer, int[] promptIds, List<String> stops, int minTokens) {
    this.tokenizer = tokenizer;
    this.stops = List.copyOf(stops);
    this.minTokens = minTokens;
    if (this.stops.stream().anyMatch(String::isEmpty)) {
      throw new IllegalArgumentException("a stop string is empty; legal: texts");
    }
    begin(promptIds);
  }

  /// Makes the prompt's end the window's beginning, at least so many tokens that it begins with a
  /// whole character.
  private void begin(int[] promptIds) {
    int[] text = Arrays.stream(promptIds).filter(id -> !tokenizer.isSpecial(id)).toArray();
    for (int n = CONTEXT_TOKENS; n < 2 * CONTEXT_TOKENS; n++) {
      int from = Math.max(0, text.length - n);
      String end = tokenizer.decode(text, from, text.length, true);
      if (end.indexOf(REPLACEMENT) < 0) {
        for (int i = from; i < text.length; i++) {
          append(text[i]);
        }
        read = size;
        shown = end.length();
        return;
      }
    }
  }

  /// Takes the next output token.
  ///
  /// @return the text that is certain now, often empty
  public String add(int token) {
    if (stopped) {
      return "";
    }
    tokens++;
    if (!tokenizer.isSpecial(token)) {
      append(token);
      String text = tokenizer.decode(ids, 0, size, true);
      int whole = whole(text);
      if (whole > shown) {
        held.append(text, shown, whole);
        shown = whole;
      }
      if (whole == text.length()) {
        slide();
      } else if ((size - read) % WAITING_TOKENS == 0) {
        settle(text);
      }
    }
    return tokens <= minTokens ? takeAll() : takeCertain();
  }

  /// Ends the output.
  ///
  /// @return what was held back, if no stop string came
  public String finish() {
    if (stopped) {
      return "";
    }
    String text = tokenizer.decode(ids, 0, size, true);
    if (text.length() > shown) {
      held.append(text, shown, text.length());
    }
    String certain = tokens <= minTokens ? "" : takeCertain();
    String rest = stopped ? certain : certain + takeAll();
    stopped = true;
    return rest;
  }

  /// Whether a stop string came: the output ends before it.
  public boolean stopped() {
    return stopped;
  }

  private void append(int token) {
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, 2 * size);
    }
    ids[size++] = token;
  }

  /// Drops the window's beginning; what came since becomes the new one.
  private void slide() {
    int fresh = size - read;
    System.arraycopy(ids, read, ids, 0, fresh);
    size = fresh;
    read = fresh;
    shown = tokenizer.decode(ids, 0, size, true).length();
  }

  /// Gives out what no token to come can change, and drops the tokens that no text to come depends
  /// on.
  private void settle(String text) {
    int from = size - KEPT_TOKENS;
    for (int end = size - UNSETTLED; end <= size; end++) {
      String alone = tokenizer.decode(ids, from, end, true);
      String settled = alone.substring(Math.min(UNSETTLED + 1, alone.length()));
      if (settled.length() <= UNSETTLED || !tokenizer.decode(ids, 0, end, true).endsWith(settled)) {
        return;
      }
    }
    int certain = Math.max(shown, text.length() - UNSETTLED);
    held.append(text, shown, certain);
    System.arraycopy(ids, from, ids, 0, KEPT_TOKENS);
    size = KEPT_TOKENS;
    read = 0;
    shown = tokenizer.decode(ids, 0, size, true).length() - (text.length() - certain);
  }

  /// Characters before the trailing ones that may still change.
  private static int whole(String text) {
    int end = text.length();
    while (end > 0 && text.charAt(end - 1) == REPLACEMENT) {
      end--;
    }
    return end;
  }

  private String takeAll() {
    return take(held.length());
  }

  private String take(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }

  /// All that is held up to the first stop string, or up to what may become one.
  private String takeCertain() {
    int first = -1;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
      }
    }
    if (first >= 0) {
      stopped = true;
      return take(first);
    }
    return take(held.length() - tail());
  }

  /// Length of the longest end of what is held that begins a stop string.
  private int tail() {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
        if (stop.startsWith(held.substring(held.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }
}
