package io.fusespill.report.export;

import io.fusespill.tables.TableFormat;
import io.fusespill.tables.TableWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Every [RunTable] as a file of one directory. All are put in place by [#finish]; without it, what
/// was there before stays.
final class TableFiles implements AutoCloseable {

  private final List<TableWriter> writers = new ArrayList<>();

  TableFiles(Path directory, TableFormat format, Map<String, String> metadata) throws IOException {
    Files.createDirectories(directory);
    try {
      for (RunTable table : RunTable.values()) {
        writers.add(format.create(file(directory, table, format), table.schema(), metadata));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /// The files of all tables.
  static List<Path> of(Path directory, TableFormat format) {
    return Arrays.stream(RunTable.values()).map(table -> file(directory, table, format)).toList();
  }

  private static Path file(Path directory, RunTable table, TableFormat format) {
    return directory.resolve(table.label() + "." + format.ending());
  }

  /// @param values one a column, null for what never came
  void row(RunTable table, @Nullable Object... values) {
    writers.get(table.ordinal()).write(Arrays.asList(values));
  }

  void finish() {
    writers.forEach(TableWriter::finish);
  }

  /// Closes all of them, also where one cannot be.
  @Override
  public void close() {
    RuntimeException first = null;
    for (TableWriter writer : writers) {
      try {
        writer.close();
      } catch (RuntimeException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
