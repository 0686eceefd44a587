package io.fusespill.tables;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Takes a table's rows one by one. The file is there, whole, once [#finish] has returned; a table
/// that is closed without leaves what was there before. Not thread-safe.
///
/// Throws `UncheckedIOException` where the file cannot be written.
public interface TableWriter extends AutoCloseable {

  /// @param row a value for each column, of its type's class; null where there is none
  /// @throws IllegalArgumentException if it does not fit the schema
  void write(List<? extends @Nullable Object> row);

  /// Puts the file in its place. Nothing can be written afterwards.
  void finish();

  @Override
  void close();
}
