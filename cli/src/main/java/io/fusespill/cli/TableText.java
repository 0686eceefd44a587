package io.fusespill.cli;

import io.fusespill.tables.Column;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A table of types and units as people read it: under headings, with few columns and few digits.
final class TableText {

  /// What a cell reads where it is not just its value.
  @FunctionalInterface
  interface Cells {
    String text(int row, String column);
  }

  private static final int DIGITS = 4;

  private final io.fusespill.tables.Table table;

  TableText(io.fusespill.tables.Table table) {
    this.table = table;
  }

  /// Prints it.
  ///
  /// @param heading of a row; rows of one heading stand together below it
  /// @param heads what the columns are called, by their names
  void print(
      PrintWriter out,
      IntFunction<String> heading,
      SequencedMap<String, String> heads,
      Cells cells) {
    String above = "";
    Table text = new Table();
    for (int row = 0; row < table.rows().size(); row++) {
      int at = row;
      if (row == 0 || !heading.apply(row).equals(above)) {
        text.print(out);
        above = heading.apply(row);
        if (!above.isEmpty()) {
          out.println((row == 0 ? "" : "\n") + above);
        }
        text = new Table().row(heads.values().toArray(String[]::new));
      }
      Stream<String> line = heads.keySet().stream().map(column -> cells.text(at, column));
      text.row(line.toArray(String[]::new));
    }
    text.print(out);
  }

  /// A value with four digits; shares in per cent; `-` for none.
  String cell(int row, String name) {
    List<Column> columns = table.schema().columns();
    Column column = columns.get(table.schema().indexOf(name));
    return switch (table.value(row, name)) {
      case null -> "-";
      case Double share when column.unit().equals("ratio") && !name.contains("scale") ->
          String.format(Locale.ROOT, "%.1f%%", 100 * share);
      case Double number -> digits(number);
      case Long whole -> String.format(Locale.ROOT, "%,d", whole);
      case Boolean flag -> flag ? "yes" : "no";
      case Object other -> other.toString();
    };
  }

  /// A number with four digits, and at most six behind the point.
  static String digits(double number) {
    int whole = number == 0 ? 1 : (int) Math.floor(Math.log10(Math.abs(number))) + 1;
    return String.format(Locale.ROOT, "%,." + Math.clamp(DIGITS - whole, 0, 6) + "f", number);
  }

  /// Seconds with a digit behind the point, or as many as three that count take.
  static String seconds(double seconds) {
    boolean small = seconds != 0 && Math.abs(seconds) < 10;
    return String.format(
        Locale.ROOT, !small ? "%,.1f" : Math.abs(seconds) < 1 ? "%.3f" : "%.2f", seconds);
  }

  /// Adds a column, if any row has a value there.
  void putIfAny(SequencedMap<String, String> heads, String column, String head) {
    if (IntStream.range(0, table.rows().size()).anyMatch(row -> table.value(row, column) != null)) {
      heads.put(column, head);
    }
  }

  /// Columns and what they are called, from pairs.
  static SequencedMap<String, String> heads(String... pairs) {
    SequencedMap<String, String> heads = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      heads.put(pairs[i], pairs[i + 1]);
    }
    return heads;
  }
}
