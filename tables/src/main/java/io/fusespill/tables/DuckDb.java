package io.fusespill.tables;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/// Connections to DuckDB within this process: one thread, so that the same rows give the same file,
/// and nothing loaded from anywhere.
final class DuckDb {

  private static final String MEMORY_LIMIT = "512MB";

  private DuckDb() {}

  /// A database in memory.
  static Connection inMemory() throws SQLException {
    return open("jdbc:duckdb:");
  }

  /// A database in a file, which holds what does not fit into memory.
  static Connection inFile(Path file) throws SQLException {
    return open("jdbc:duckdb:" + file);
  }

  private static Connection open(String url) throws SQLException {
    Connection connection = DriverManager.getConnection(url);
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
