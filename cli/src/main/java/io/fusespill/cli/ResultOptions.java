package io.fusespill.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.tables.Column;
import io.fusespill.tables.Table;
import io.fusespill.tables.TableFormat;
import io.fusespill.tables.TableWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How the table of a search is told.
final class ResultOptions {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = "Write the table, with all its columns, to FILE.")
  private @Nullable Path csv;

  ResultOptions() {}

  boolean json() {
    return json;
  }

  /// Looks where the table is to go, before anything is computed that would be lost.
  ///
  /// @throws UsageException if it cannot go there
  void check() {
    if (csv != null) {
      Path folder = csv.toAbsolutePath().getParent();
      if (Files.isDirectory(csv) || folder == null || !Files.isWritable(folder)) {
        throw new UsageException(
            "--csv %s cannot be written: it must be a file in a folder that is there and may be written to"
                .formatted(csv));
      }
    }
  }

  void writeCsv(Table table) {
    if (csv != null) {
      try (TableWriter writer = TableFormat.CSV.create(csv, table.schema(), Map.of())) {
        table.rows().forEach(writer::write);
        writer.finish();
      }
    }
  }

  /// `rows`, each an object by the names of the columns, `failures` by what failed, and `notes`.
  static ObjectNode json(Table table, Map<String, String> failures, List<String> notes) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ArrayNode rows = node.putArray("rows");
    List<Column> columns = table.schema().columns();
    for (int row = 0; row < table.rows().size(); row++) {
      ObjectNode object = rows.addObject();
      for (Column column : columns) {
        object.set(column.name(), MAPPER.valueToTree(table.value(row, column.name())));
      }
    }
    ArrayNode failed = node.putArray("failures");
    failures.forEach(
        (title, message) -> failed.addObject().put("title", title).put("message", message));
    notes.forEach(node.putArray("notes")::add);
    return node;
  }
}
