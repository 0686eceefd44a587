package io.fusespill.charts;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The numbers that a figure shows, as rows.
///
/// @param columns names, with the unit at the end
/// @param rows one value a column each: `Long`, `Integer`, `Double` or `String`
public record DataTable(List<String> columns, List<List<Object>> rows) {

  public DataTable {
    columns = List.copyOf(columns);
    rows = rows.stream().map(List::copyOf).toList();
    for (List<Object> row : rows) {
      if (row.size() != columns.size()) {
        throw new IllegalArgumentException(
            "a row of %d values for %d columns: %s".formatted(row.size(), columns.size(), row));
      }
    }
  }

  /// A header and a line a row, as RFC 4180 has it but with `\n`. Numbers are plain decimals.
  public String csv() {
    StringBuilder out = new StringBuilder();
    append(out, columns);
    rows.forEach(row -> append(out, row));
    return out.toString();
  }

  private static void append(StringBuilder out, List<?> cells) {
    for (int i = 0; i < cells.size(); i++) {
      out.append(i == 0 ? "" : ",").append(text(cells.get(i)));
    }
    out.append('\n');
  }

  private static String text(Object value) {
    if (value instanceof Double number) {
      return Double.isFinite(number)
          ? BigDecimal.valueOf(number).stripTrailingZeros().toPlainString()
          : "";
    }
    String text = value.toString();
    return text.contains(",") || text.contains("\"") || text.contains("\n")
        ? '"' + text.replace("\"", "\"\"") + '"'
        : text;
  }

  /// Takes rows one by one.
  static final class Builder {

    private final List<String> columns;
    private final List<List<Object>> rows = new ArrayList<>();

    Builder(String... columns) {
      this.columns = List.of(columns);
    }

    Builder row(Object... values) {
      rows.add(Arrays.asList(values));
      return this;
    }

    DataTable build() {
      return new DataTable(columns, rows);
    }
  }
}
