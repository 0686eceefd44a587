package io.fusespill.tables;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The columns of a table, in order, no two of one name.
public record Schema(List<Column> columns) {

  public Schema {
    columns = List.copyOf(columns);
    Set<String> names = new HashSet<>();
    for (Column column : columns) {
      if (!names.add(column.name())) {
        throw new IllegalArgumentException(
            "two columns are called \"%s\"".formatted(column.name()));
      }
    }
    if (columns.isEmpty()) {
      throw new IllegalArgumentException("a table needs at least one column");
    }
  }

  public static Schema of(Column... columns) {
    return new Schema(List.of(columns));
  }

  public List<String> names() {
    return columns.stream().map(Column::name).toList();
  }

  /// Position of the column of this name, or -1.
  public int indexOf(String name) {
    return names().indexOf(name);
  }

  /// @throws IllegalArgumentException if the row has another length, or a value of another class
  ///   than its column's
  void requireFits(List<? extends @Nullable Object> row) {
    if (row.size() != columns.size()) {
      throw new IllegalArgumentException(
          "a row of %d values for %d columns".formatted(row.size(), columns.size()));
    }
    for (int i = 0; i < columns.size(); i++) {
      Object value = row.get(i);
      Column column = columns.get(i);
      if (value != null && !column.type().valueClass().isInstance(value)) {
        throw new IllegalArgumentException(
            "%s is '%s', a %s, must be a %s"
                .formatted(
                    column.name(),
                    value,
                    value.getClass().getSimpleName(),
                    column.type().valueClass().getSimpleName()));
      }
    }
  }
}
