package io.fusespill.charts;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import io.fusespill.charts.Source.Origin;
import io.fusespill.replay.explain.Wording;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// A table of results by the names of its columns: what `evaluate --csv` or `sweep` wrote, or the
/// data of a figure.
///
/// The options in a column `policy_options` are columns of their own, too, under their own names.
public final class Results {

  private static final String OPTIONS = "policy_options";
  private static final String UPPER_BOUND = "upper_bound";
  private static final String DIGEST = "journal_digest";

  /// One line.
  record Row(Map<String, String> cells) {

    /// Empty where there is none.
    String text(String column) {
      return cells.getOrDefault(column, "");
    }

    /// NaN where there is none, or something else than a number.
    double number(String column) {
      try {
        return Double.parseDouble(text(column));
      } catch (NumberFormatException e) {
        return Double.NaN;
      }
    }
  }

  private static final Pattern QUOTED = Pattern.compile(" \\(value #.*");

  private final String name;
  private final String digest;
  private final List<String> columns;
  private final List<Row> rows;

  private Results(String name, List<String> columns, List<Row> rows, String digest) {
    this.name = name;
    this.columns = columns;
    this.rows = rows;
    this.digest = digest;
  }

  /// Reads a CSV file with a header.
  ///
  /// @throws ResultsException if it cannot be read, is no CSV, or has no rows
  public static Results read(Path file) {
    try {
      return of(file.toString(), Files.readString(file, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new ResultsException("%s: cannot be read: %s".formatted(file, e), e);
    }
  }

  /// @param name what the results are called in sources and messages
  /// @param csv a header and rows
  public static Results of(String name, String csv) {
    List<Row> rows = new ArrayList<>();
    List<String> columns = new ArrayList<>();
    try (MappingIterator<Map<String, String>> lines =
        new CsvMapper()
            .readerForMapOf(String.class)
            .with(CsvSchema.emptySchema().withHeader())
            .with(CsvParser.Feature.FAIL_ON_MISSING_COLUMNS)
            .readValues(csv)) {
      while (lines.hasNext()) {
        Map<String, String> cells = new LinkedHashMap<>(lines.next());
        addOptions(cells);
        cells.keySet().stream().filter(key -> !columns.contains(key)).forEach(columns::add);
        rows.add(new Row(cells));
      }
    } catch (IOException | RuntimeException e) {
      throw new ResultsException("%s: is no CSV of results: %s".formatted(name, fault(e)), e);
    }
    if (rows.isEmpty()) {
      throw new ResultsException("%s: holds no results, only a header or nothing".formatted(name));
    }
    return new Results(name, columns, rows, digest(rows, csv));
  }

  /// The line and the parser's words, without the cell that it quotes.
  private static String fault(Exception e) {
    Throwable fault = e.getCause() instanceof JsonProcessingException ? e.getCause() : e;
    String message =
        fault instanceof JsonProcessingException parsing
            ? "line %d: %s"
                .formatted(parsing.getLocation().getLineNr(), parsing.getOriginalMessage())
            : String.valueOf(fault.getMessage());
    return QUOTED.matcher(message.lines().findFirst().orElse("")).replaceFirst("");
  }

  private static void addOptions(Map<String, String> cells) {
    for (String option : cells.getOrDefault(OPTIONS, "").split(" ", -1)) {
      int equals = option.indexOf('=');
      if (equals > 0) {
        cells.putIfAbsent(option.substring(0, equals), option.substring(equals + 1));
      }
    }
  }

  /// Of the journals' digests where there are any: it does not depend on how long things took.
  private static String digest(List<Row> rows, String csv) {
    StringBuilder text = new StringBuilder();
    rows.forEach(row -> text.append(row.text(DIGEST)));
    return sha256(text.isEmpty() ? csv : text.toString());
  }

  static String sha256(String text) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha256.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  public String name() {
    return name;
  }

  List<String> columns() {
    return columns;
  }

  List<Row> rows() {
    return rows;
  }

  boolean has(String column) {
    return columns.contains(column);
  }

  /// The first of these columns that there is.
  Optional<String> first(String... names) {
    return Arrays.stream(names).filter(this::has).findFirst();
  }

  /// @throws ResultsException if there is no such column
  String require(String column) {
    if (!has(column)) {
      throw new ResultsException(
          "%s: no column '%s': there are %s".formatted(name, column, String.join(", ", columns)));
    }
    return column;
  }

  /// The values of a column, each once, in the order in which they come.
  List<String> values(String column) {
    return rows.stream().map(row -> row.text(column)).distinct().toList();
  }

  /// The rows whose columns hold one of the values given for them.
  ///
  /// @param wanted by column, its values
  /// @throws ResultsException if there is no such column, or nothing is left
  public Results only(Map<String, List<String>> wanted) {
    wanted.forEach((column, values) -> {
      for (String value : values) {
        if (!values(require(column)).contains(value)) {
          throw new ResultsException(
              "%s: column '%s' never is '%s': it is %s"
                  .formatted(name, column, value, String.join(", ", values(column))));
        }
      }
    });
    List<Row> left =
        rows.stream()
            .filter(row ->
                wanted.entrySet().stream()
                    .allMatch(entry -> entry.getValue().contains(row.text(entry.getKey()))))
            .toList();
    if (left.isEmpty()) {
      throw new ResultsException("%s: no result has all of %s at once".formatted(name, wanted));
    }
    return new Results(name, columns, left, digest);
  }

  /// These results with `UPPER BOUND` behind the policies that are told true output lengths.
  Results withBoundsNamed() {
    List<Row> named =
        rows.stream().map(row -> row.text(UPPER_BOUND).equals("true") ? bound(row) : row).toList();
    return new Results(name, columns, named, digest);
  }

  private static Row bound(Row row) {
    Map<String, String> cells = new LinkedHashMap<>(row.cells());
    for (String column : List.of("policy", "policy_name")) {
      cells.computeIfPresent(column, (key, policy) -> policy + " (UPPER BOUND)");
    }
    return new Row(cells);
  }

  Source source() {
    return new Source(
        "Simulated, roofline step times; %s of".formatted(Wording.count(rows.size(), "result")),
        List.of(new Origin(fileName(), "", digest)));
  }

  private String fileName() {
    Path file = Path.of(name).getFileName();
    return file == null ? name : file.toString();
  }
}
