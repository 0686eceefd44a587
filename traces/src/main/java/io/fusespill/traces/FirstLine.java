package io.fusespill.traces;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The first line of a file, by which its format is told.
///
/// @param text the line
/// @param columns its cells as a header, empty where it is JSON or no header
/// @param fields with what each field of a JSON object begins, empty where it is not JSON
record FirstLine(String text, List<String> columns, Map<String, JsonToken> fields) {

  private static final JsonFactory JSON = new JsonFactory();

  static FirstLine of(String text) {
    return text.startsWith("{")
        ? new FirstLine(text, List.of(), fields(text))
        : new FirstLine(text, columns(text), Map.of());
  }

  private static List<String> columns(String text) {
    try {
      return CsvLine.cells(text);
    } catch (InvalidRowException e) {
      return List.of();
    }
  }

  private static Map<String, JsonToken> fields(String text) {
    Map<String, JsonToken> fields = new TreeMap<>();
    try (JsonParser json = JSON.createParser(text)) {
      json.nextToken();
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        fields.put(name, json.nextToken());
        json.skipChildren();
      }
    } catch (IOException e) {
      // Broken further on: the fields before may still tell the format, whose reader then says
      // where it breaks.
    }
    return fields;
  }

  boolean hasColumns(List<String> names) {
    return columns.containsAll(names);
  }

  boolean hasFields(List<String> names) {
    return fields.keySet().containsAll(names);
  }
}
