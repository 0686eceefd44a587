package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.journal.JournalHeader;

/// A journal's header as JSON.
final class JournalHeaderJson {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private JournalHeaderJson() {}

  static ObjectNode of(JournalHeader header) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("schema_version", header.schemaVersion());
    json.put("engine_version", header.engineVersion());
    json.put("config_digest", header.configDigest());
    try {
      json.set("config", MAPPER.readTree(header.configJson()));
    } catch (JsonProcessingException e) {
      throw new UsageException(
          "the journal's configuration is not JSON: " + e.getOriginalMessage(), e);
    }
    return json;
  }
}
