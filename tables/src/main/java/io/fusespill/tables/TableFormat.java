package io.fusespill.tables;

import java.nio.file.Path;
import java.util.Map;

/// The files that a table may become.
public enum TableFormat {
  /// UTF-8, a header, `\n`, quotes only where needed; no value is an empty field, an empty text is
  /// `""`.
  CSV("csv"),
  /// Compressed with Zstandard; types, units and descriptions of the columns in its metadata.
  PARQUET("parquet");

  private final String ending;

  TableFormat(String ending) {
    this.ending = ending;
  }

  /// What a file's name ends with, after the dot.
  public String ending() {
    return ending;
  }

  /// A writer that replaces `file` when it has finished.
  ///
  /// @param metadata texts by key that Parquet keeps in the file; CSV has no place for them
  public TableWriter create(Path file, Schema schema, Map<String, String> metadata) {
    return switch (this) {
      case CSV -> new CsvWriter(file, schema);
      case PARQUET -> new ParquetWriter(file, schema, metadata);
    };
  }
}
