package io.fusespill.tables;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A table in memory.
///
/// @param rows each with a value for each column, null where there is none
public record Table(Schema schema, List<List<@Nullable Object>> rows) {

  public Table {
    rows = rows.stream().map(Table::copy).toList();
    rows.forEach(schema::requireFits);
  }

  /// A table of rows that may hold nulls.
  public static Table of(Schema schema, List<? extends List<? extends @Nullable Object>> rows) {
    List<List<@Nullable Object>> copies = new ArrayList<>();
    rows.forEach(row -> copies.add(new ArrayList<>(row)));
    return new Table(schema, copies);
  }

  private static List<@Nullable Object> copy(List<@Nullable Object> row) {
    return Collections.unmodifiableList(new ArrayList<>(row));
  }

  /// Reads a Parquet file that a [TableWriter] wrote.
  ///
  /// @throws UncheckedIOException if it is not there, is no Parquet file, or comes from elsewhere
  public static Table readParquet(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new UncheckedIOException("no file %s".formatted(file), new IOException("no file"));
    }
    String literal = DuckDb.literal(file.toString());
    try (Connection connection = DuckDb.inMemory();
        Statement statement = connection.createStatement()) {
      Schema schema = schema(statement, literal);
      List<List<@Nullable Object>> rows = new ArrayList<>();
      try (ResultSet result =
          statement.executeQuery("SELECT * FROM read_parquet(%s)".formatted(literal))) {
        while (result.next()) {
          List<@Nullable Object> row = new ArrayList<>();
          for (int i = 1; i <= schema.columns().size(); i++) {
            row.add(result.getObject(i));
          }
          rows.add(row);
        }
      }
      return new Table(schema, rows);
    } catch (SQLException | IOException e) {
      throw new UncheckedIOException(
          "%s cannot be read as Parquet (%s)"
              .formatted(file, String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
          e instanceof IOException io ? io : new IOException(e));
    }
  }

  private static Schema schema(Statement statement, String literal)
      throws SQLException, IOException {
    try (ResultSet result =
        statement.executeQuery(
            "SELECT value FROM parquet_kv_metadata(%s) WHERE key::VARCHAR = %s"
                .formatted(literal, DuckDb.literal(ColumnsJson.KEY)))) {
      if (!result.next()) {
        throw new IOException("no key %s in its metadata".formatted(ColumnsJson.KEY));
      }
      Blob value = result.getBlob(1);
      byte[] bytes = value.getBytes(1, (int) value.length());
      return ColumnsJson.read(new String(bytes, StandardCharsets.UTF_8));
    }
  }

  /// The value of a row in the column of this name.
  ///
  /// @throws IllegalArgumentException if there is no such column
  public @Nullable Object value(int row, String column) {
    int index = schema.indexOf(column);
    if (index < 0) {
      throw new IllegalArgumentException(
          "no column \"%s\" among %s".formatted(column, schema.names()));
    }
    return rows.get(row).get(index);
  }
}
