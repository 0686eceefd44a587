package io.fusespill.tables;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBDriver;
import org.jspecify.annotations.Nullable;

/// Connections to DuckDB within this process: one thread, so that the same rows give the same file,
/// and nothing loaded from anywhere.
final class DuckDb {

  private static final String MEMORY_LIMIT = "512MB";

  /// Starting DuckDB takes ten times as long as what a small table needs of it.
  private static @Nullable DuckDBConnection memory;

  private DuckDb() {}

  /// The database in memory that this process has; a connection sees temporary tables of its own.
  static synchronized Connection inMemory() throws SQLException {
    DuckDBConnection first = memory;
    if (first == null) {
      first = (DuckDBConnection) open("jdbc:duckdb:");
      memory = first;
    }
    return first.duplicate();
  }

  /// A database in a file, which holds what does not fit into memory.
  static Connection inFile(Path file) throws SQLException {
    return open("jdbc:duckdb:" + file);
  }

  private static Connection open(String url) throws SQLException {
    // Not by the DriverManager, which sees the drivers of one class loader alone.
    Connection connection = new DuckDBDriver().connect(url, new Properties());
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET threads = 1");
      statement.execute("SET memory_limit = '%s'".formatted(MEMORY_LIMIT));
      statement.execute("SET autoinstall_known_extensions = false");
      statement.execute("SET enable_progress_bar = false");
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
    return connection;
  }

  /// A text literal of SQL.
  static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
