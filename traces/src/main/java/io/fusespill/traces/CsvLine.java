package io.fusespill.traces;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The cells of a line of comma-separated values.
///
/// Blanks around a cell count for nothing. A cell that begins with a quote is one to the quote that
/// closes it, commas and all, and a doubled quote in it stands for one. No cell holds an end of
/// line. Not thread-safe: one line at a time.
final class CsvLine {

  private String line = "";
  private int[] ends = new int[16];
  private int cells;
  private boolean quotes;

  /// The cells of one line.
  static List<String> cells(String line) {
    CsvLine csv = new CsvLine();
    csv.split(line);
    return IntStream.range(0, csv.cells).mapToObj(csv::cell).toList();
  }

  /// Goes to a line and tells how many cells it has.
  ///
  /// @throws InvalidRowException if a quote stands where none can
  int split(String next) {
    line = next;
    cells = 0;
    quotes = line.indexOf('"') >= 0;
    int end = -1;
    while (end < line.length()) {
      end = quotes ? quotedEnd(end + 1) : comma(end + 1);
      if (cells == ends.length) {
        ends = Arrays.copyOf(ends, 2 * cells);
      }
      ends[cells++] = end;
    }
    return cells;
  }

  String cell(int column) {
    String text = bare(column == 0 ? 0 : ends[column - 1] + 1, ends[column]);
    return quotes && text.startsWith("\"")
        ? text.substring(1, text.length() - 1).replace("\"\"", "\"").strip()
        : text;
  }

  private String bare(int start, int end) {
    int from = afterBlanks(start, end);
    int to = end;
    while (to > from && isBlank(line.charAt(to - 1))) {
      to--;
    }
    return line.substring(from, to);
  }

  /// Where the cell ends that begins at `from`.
  private int quotedEnd(int from) {
    int quote = afterBlanks(from, line.length());
    if (quote == line.length() || line.charAt(quote) != '"') {
      return comma(from);
    }
    int closing = line.indexOf('"', quote + 1);
    while (closing >= 0 && line.startsWith("\"", closing + 1)) {
      closing = line.indexOf('"', closing + 2);
    }
    if (closing < 0) {
      throw new InvalidRowException(
          "a quote is not closed in \"%s\", must be in the same line".formatted(Excerpt.of(line)));
    }
    int end = afterBlanks(closing + 1, line.length());
    if (end < line.length() && line.charAt(end) != ',') {
      throw new InvalidRowException(
          "\"%s\" follows a closing quote, must be a comma or the end of the line"
              .formatted(Excerpt.of(line.substring(end))));
    }
    return end;
  }

  private int comma(int from) {
    int comma = line.indexOf(',', from);
    return comma < 0 ? line.length() : comma;
  }

  private int afterBlanks(int from, int limit) {
    int index = from;
    while (index < limit && isBlank(line.charAt(index))) {
      index++;
    }
    return index;
  }

  private static boolean isBlank(char character) {
    return character == ' ' || character == '\t';
  }
}
