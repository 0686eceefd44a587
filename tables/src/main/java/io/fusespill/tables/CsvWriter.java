package io.fusespill.tables;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// CSV: the same rows give the same bytes on every machine.
final class CsvWriter implements TableWriter {

  private final Schema schema;
  private final UnfinishedFile file;
  private final BufferedWriter out;

  CsvWriter(Path target, Schema schema) {
    this.schema = schema;
    this.file = new UnfinishedFile(target);
    try {
      out = Files.newBufferedWriter(file.path());
      line(schema.names());
    } catch (IOException e) {
      throw file.failed(e);
    }
  }

  @Override
  public void write(List<? extends @Nullable Object> row) {
    schema.requireFits(row);
    try {
      line(row);
    } catch (IOException e) {
      throw file.failed(e);
    }
  }

  private void line(List<? extends @Nullable Object> values) throws IOException {
    for (int i = 0; i < values.size(); i++) {
      if (i > 0) {
        out.write(',');
      }
      Object value = values.get(i);
      if (value != null) {
        out.write(quoted(value.toString()));
      }
    }
    out.write('\n');
  }

  private static String quoted(String text) {
    boolean plain =
        !text.isEmpty()
            && text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
    return plain ? text : '"' + text.replace("\"", "\"\"") + '"';
  }

  @Override
  public void finish() {
    try {
      out.close();
      file.finish();
    } catch (IOException e) {
      throw file.failed(e);
    }
  }

  @Override
  public void close() {
    try {
      try {
        out.close();
      } finally {
        file.discard();
      }
    } catch (IOException e) {
      throw file.failed(e);
    }
  }
}
