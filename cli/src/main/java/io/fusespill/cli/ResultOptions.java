package io.fusespill.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.tables.Column;
import io.fusespill.tables.Table;
import io.fusespill.tables.TableFormat;
import io.fusespill.tables.TableWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// How the table of a search is told.
final class ResultOptions {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Mixin private CsvOptions csv;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  ResultOptions() {}

  boolean json() {
    return json;
  }

  CsvOptions csv() {
    return csv;
  }

  void writeCsv(Table table) {
    Path file = csv.file();
    if (file != null) {
      try (TableWriter writer = TableFormat.CSV.create(file, table.schema(), Map.of())) {
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
