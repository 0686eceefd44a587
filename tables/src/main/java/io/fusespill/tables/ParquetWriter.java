package io.fusespill.tables;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/// Parquet through DuckDB: rows go into a temporary database beside the file, which may be larger
/// than memory, and from there into the file at the end.
final class ParquetWriter implements TableWriter {

  private static final String TABLE = "rows";

  private final Schema schema;
  private final SortedMap<String, String> metadata;
  private final UnfinishedFile file;
  private final Path database;
  private final Connection connection;
  private final DuckDBAppender appender;

  ParquetWriter(Path target, Schema schema, Map<String, String> metadata) {
    this.schema = schema;
    this.metadata = new TreeMap<>(metadata);
    this.metadata.put(ColumnsJson.KEY, ColumnsJson.write(schema));
    this.file = new UnfinishedFile(target);
    this.database = target.resolveSibling(target.getFileName() + ".duckdb");
    try {
      deleteDatabase();
      connection = DuckDb.inFile(database);
      String columns =
          schema.columns().stream()
              .map(column -> "\"%s\" %s".formatted(column.name(), column.type().sql()))
              .collect(Collectors.joining(", "));
      execute("CREATE TABLE \"%s\" (%s)".formatted(TABLE, columns));
      appender = ((DuckDBConnection) connection).createAppender(TABLE);
    } catch (SQLException | IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void write(List<? extends @Nullable Object> row) {
    schema.requireFits(row);
    try {
      appender.beginRow();
      for (Object value : row) {
        switch (value) {
          case null -> appender.appendNull();
          case String text -> appender.append(text);
          case Long whole -> appender.append(whole.longValue());
          case Double number -> appender.append(number.doubleValue());
          case Boolean flag -> appender.append(flag.booleanValue());
          default -> throw new IllegalStateException("no column holds " + value.getClass());
        }
      }
      appender.endRow();
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  @Override
  public void finish() {
    String pairs =
        metadata.entrySet().stream()
            .map(e -> DuckDb.literal(e.getKey()) + ": " + DuckDb.literal(e.getValue()))
            .collect(Collectors.joining(", "));
    try {
      appender.close();
      execute(
          "COPY (SELECT * FROM \"%s\" ORDER BY rowid) TO %s (FORMAT parquet, COMPRESSION zstd, KV_METADATA {%s})"
              .formatted(TABLE, DuckDb.literal(file.path().toString()), pairs));
      file.finish();
    } catch (SQLException | IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void close() {
    try (connection) {
      appender.close();
    } catch (SQLException e) {
      throw failed(e);
    } finally {
      discard();
    }
  }

  private void discard() {
    try {
      deleteDatabase();
      file.discard();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private void deleteDatabase() throws IOException {
    Files.deleteIfExists(database);
    Files.deleteIfExists(database.resolveSibling(database.getFileName() + ".wal"));
  }

  private UncheckedIOException failed(Exception e) {
    return file.failed(e instanceof IOException io ? io : new IOException(e.getMessage(), e));
  }
}
