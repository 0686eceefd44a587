package io.fusespill.sim.calibrate;

import io.fusespill.sim.profile.ProfileException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/// A published table: comma-separated, plain or gzip, without quotes. Problems name the file, the
/// line and the column.
final class CsvTable {

  /// A line of the table.
  final class Row {
    private final int line;
    private final String[] cells;

    private Row(int line, String[] cells) {
      this.line = line;
      this.cells = cells;
    }

    String text(String column) {
      return cells[column(column)];
    }

    /// A whole number, at least 0.
    long whole(String column) {
      String text = text(column);
      try {
        long value = Long.parseLong(text);
        if (value >= 0) {
          return value;
        }
      } catch (NumberFormatException e) {
        // said below
      }
      throw problem(column, "is '%s', must be a whole number of at least 0".formatted(text));
    }

    /// A number above 0.
    double positive(String column) {
      String text = text(column);
      try {
        double value = Double.parseDouble(text);
        if (value > 0 && value < Double.POSITIVE_INFINITY) {
          return value;
        }
      } catch (NumberFormatException e) {
        // said below
      }
      throw problem(column, "is '%s', must be a number above 0".formatted(text));
    }

    private ProfileException problem(String column, String what) {
      return new ProfileException("%s:%d: %s %s".formatted(file, line, column, what));
    }
  }

  private final Path file;
  private final List<String> columns;
  private final List<Row> rows = new ArrayList<>();

  private CsvTable(Path file, List<String> columns) {
    this.file = file;
    this.columns = columns;
  }

  /// Reads `name.csv`, `name.csv.gz` or a converted `name.derived.csv.gz` of a folder.
  static CsvTable read(Path folder, String name) {
    List<Path> tried =
        List.of(
            folder.resolve(name + ".csv"),
            folder.resolve(name + ".csv.gz"),
            folder.resolve(name + ".derived.csv.gz"));
    Path file =
        tried.stream()
            .filter(Files::exists)
            .findFirst()
            .orElseThrow(() ->
                new ProfileException(
                    "no %s: name the folder that holds these tables".formatted(tried.getFirst())));
    try (InputStream raw = Files.newInputStream(file);
        InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw;
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      String head = lines.readLine();
      CsvTable table = new CsvTable(file, head == null ? List.of() : List.of(head.split(",", -1)));
      int number = 1;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        String[] cells = line.split(",", -1);
        if (cells.length != table.columns.size()) {
          throw new ProfileException(
              "%s:%d: has %d columns, must have %d as the first line"
                  .formatted(file, number, cells.length, table.columns.size()));
        }
        table.rows.add(table.new Row(number, cells));
      }
      return table;
    } catch (IOException e) {
      throw new ProfileException("%s: cannot be read (%s)".formatted(file, e), e);
    }
  }

  List<Row> rows() {
    return rows;
  }

  /// The different texts of a column; none where the table does not have it.
  List<String> textsIfAny(String column) {
    return columns.contains(column)
        ? rows.stream().map(row -> row.text(column)).distinct().toList()
        : List.of();
  }

  private int column(String name) {
    int column = columns.indexOf(name);
    if (column < 0) {
      throw new ProfileException(
          "%s: has no column %s, only %s".formatted(file, name, String.join(", ", columns)));
    }
    return column;
  }
}
