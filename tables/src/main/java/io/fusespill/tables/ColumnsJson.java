package io.fusespill.tables;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;

/// The columns as Parquet's metadata holds them: a JSON list of `name`, `type`, `unit` and
/// `description`.
final class ColumnsJson {

  /// Key of the metadata.
  static final String KEY = "fusespill.columns";

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private ColumnsJson() {}

  static String write(Schema schema) {
    try {
      return MAPPER.writeValueAsString(schema.columns());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("columns cannot be written as JSON", e);
    }
  }

  static Schema read(String json) throws JsonProcessingException {
    return new Schema(MAPPER.readValue(json, new TypeReference<List<Column>>() {}));
  }
}
