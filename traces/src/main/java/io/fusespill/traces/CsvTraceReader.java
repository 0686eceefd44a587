package io.fusespill.traces;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A trace as comma-separated values below a header. A format says in which columns it finds what;
/// others are ignored.
abstract class CsvTraceReader extends FileTraceReader {

  private final String place;
  private final List<String> header;
  private final CsvLine cells = new CsvLine();

  CsvTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options);
    if (!lines.advance()) {
      throw new TraceException("%s: is empty, must begin with a header".formatted(lines.file()));
    }
    place = lines.place();
    header = header(lines);
  }

  /// The row in [#text] and [#tokens], or what [#skip] returns.
  abstract @Nullable Row row();

  /// The index of a column that must be there.
  final int column(String name) {
    int index = indexOf(name);
    if (index < 0) {
      throw new TraceException(
          "%s: no column \"%s\", the header is \"%s\"; name the right format with --format"
              .formatted(place, name, Excerpt.of(String.join(",", header))));
    }
    return index;
  }

  /// The index of the first of `names` that is there, else -1.
  final int anyColumn(List<String> names) {
    return names.stream()
        .mapToInt(this::indexOf)
        .filter(index -> index >= 0)
        .findFirst()
        .orElse(-1);
  }

  private int indexOf(String name) {
    int index = header.indexOf(name);
    if (index != header.lastIndexOf(name)) {
      throw new TraceException(
          "%s: column \"%s\" stands twice in the header, must be there once; rename or remove one"
              .formatted(place, name));
    }
    return index;
  }

  final boolean hasColumns(List<String> names) {
    return header.containsAll(names);
  }

  final String name(int column) {
    return header.get(column);
  }

  final String text(int column) {
    return cells.cell(column);
  }

  final int tokens(int column) {
    return TokenCount.parse(name(column), text(column));
  }

  /// What the row declares, 0 where the cell is empty or says so.
  final int declaredTokens(int column) {
    String text = text(column);
    return text.isEmpty() ? 0 : TokenCount.parseDeclared(name(column), text);
  }

  final Row.Arrival arrival(int column, ArrivalUnit unit) {
    return Row.Arrival.parse(name(column), text(column), unit);
  }

  @Override
  final @Nullable Row parse(LineReader lines) {
    String line = lines.text();
    int count = cells.split(line);
    if (count != header.size()) {
      throw new InvalidRowException(
          "%d columns in \"%s\", must be %d as in the header"
              .formatted(count, Excerpt.of(line), header.size()));
    }
    return row();
  }

  private static List<String> header(LineReader lines) {
    try {
      return CsvLine.cells(lines.text());
    } catch (InvalidRowException e) {
      throw new TraceException("%s: %s".formatted(lines.place(), e.getMessage()), e);
    }
  }
}
