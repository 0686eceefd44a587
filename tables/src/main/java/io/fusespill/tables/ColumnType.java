package io.fusespill.tables;

/// What the values of a column are, and how Parquet and SQL call that.
public enum ColumnType {
  TEXT("VARCHAR", String.class),
  /// 64 bits with a sign.
  WHOLE("BIGINT", Long.class),
  /// IEEE 754, 64 bits.
  NUMBER("DOUBLE", Double.class),
  FLAG("BOOLEAN", Boolean.class);

  private final String sql;
  private final Class<?> valueClass;

  ColumnType(String sql, Class<?> valueClass) {
    this.sql = sql;
    this.valueClass = valueClass;
  }

  /// Its name in SQL.
  public String sql() {
    return sql;
  }

  /// Class of the values: `String`, `Long`, `Double` or `Boolean`.
  public Class<?> valueClass() {
    return valueClass;
  }
}
