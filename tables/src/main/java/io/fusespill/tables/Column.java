package io.fusespill.tables;

import java.util.regex.Pattern;

/// A column of a table.
///
/// @param name letters, digits and underscores, the first a letter, all small; a quantity's name
///   ends with its unit, as `ttft_p99_seconds`
/// @param unit of the values, as `seconds` or `tokens`; empty where they have none
/// @param description one line: what a value says
public record Column(String name, ColumnType type, String unit, String description) {

  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]*");

  public Column {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "column name \"%s\" must be small letters, digits and underscores, a letter first"
              .formatted(name));
    }
  }

  public static Column text(String name, String description) {
    return new Column(name, ColumnType.TEXT, "", description);
  }

  public static Column whole(String name, String unit, String description) {
    return new Column(name, ColumnType.WHOLE, unit, description);
  }

  public static Column number(String name, String unit, String description) {
    return new Column(name, ColumnType.NUMBER, unit, description);
  }

  public static Column flag(String name, String description) {
    return new Column(name, ColumnType.FLAG, "", description);
  }
}
