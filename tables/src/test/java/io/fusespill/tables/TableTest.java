package io.fusespill.tables;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableTest {

  private static final Schema SCHEMA =
      Schema.of(
          Column.text("policy", "the policy's name, \"quoted\" or not"),
          Column.whole("preemptions", "preemptions", "how often"),
          Column.number("ttft_p99_seconds", "seconds", "it's a percentile"),
          Column.flag("slo_met", "whether it is kept"));

  private static final List<List<Object>> ROWS =
      List.of(
          Arrays.asList("a,b \"c\"\nd", Long.MAX_VALUE, 0.1, true),
          Arrays.asList("", Long.MIN_VALUE, 1.0E-9, false),
          Arrays.asList(null, null, null, null),
          Arrays.asList("π", 0L, 1e22, null));

  @TempDir private Path folder;

  @Test
  void csv_hasTheseBytes() throws IOException {
    Path file = write(TableFormat.CSV, ROWS);

    assertThat(Files.readString(file))
        .isEqualTo(
            """
            policy,preemptions,ttft_p99_seconds,slo_met
            "a,b ""c""
            d",9223372036854775807,0.1,true
            "",-9223372036854775808,1.0E-9,false
            ,,,
            π,0,1.0E22,
            """);
  }

  @Test
  void parquet_isReadBackWithTypesAndUnits() {
    Table table = Table.readParquet(write(TableFormat.PARQUET, ROWS));

    assertThat(table.schema()).isEqualTo(SCHEMA);
    assertThat(table.rows()).isEqualTo(ROWS);
    assertThat(table.value(0, "preemptions")).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void tableInMemory_isWrittenAsRowByRow() throws IOException {
    Path file = folder.resolve("memory.parquet");

    new Table(SCHEMA, ROWS).writeParquet(file, Map.of("sweep", "an example"));

    assertThat(Files.readAllBytes(file))
        .isEqualTo(Files.readAllBytes(write(TableFormat.PARQUET, ROWS)));
  }

  @Test
  void bothFiles_areReadByDuckDbItself() throws SQLException {
    Path parquet = write(TableFormat.PARQUET, ROWS);
    Path csv = write(TableFormat.CSV, ROWS);

    String query = "SELECT * FROM '%s'";
    assertThat(types(query.formatted(parquet)))
        .isEqualTo(types(query.formatted(csv)))
        .containsExactly("VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN");
    assertThat(sql("SELECT count(*), sum(ttft_p99_seconds) FROM '%s'".formatted(parquet)))
        .isEqualTo(sql("SELECT count(*), sum(ttft_p99_seconds) FROM '%s'".formatted(csv)))
        .startsWith("4 ");
    assertThat(
            sql(
                "SELECT value FROM parquet_kv_metadata('%s') WHERE key = 'sweep'"
                    .formatted(parquet)))
        .isEqualTo("an example");
  }

  @Test
  void sameRows_giveTheSameBytes() throws IOException {
    List<List<Object>> many =
        Stream.iterate(0L, i -> i + 1)
            .limit(300_000)
            .map(i -> Arrays.<Object>asList("p" + i % 7, i, i / 3.0, i % 2 == 0))
            .toList();

    byte[] first = Files.readAllBytes(write(TableFormat.PARQUET, many));
    Path again = write(TableFormat.PARQUET, many);

    assertThat(Files.readAllBytes(again)).isEqualTo(first);
    assertThat(Table.readParquet(again).value(299_999, "preemptions")).isEqualTo(299_999L);
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(again);
    }
  }

  @Test
  void unfinishedTable_leavesTheOldOneAndNothingElse() throws IOException {
    for (TableFormat format : TableFormat.values()) {
      Path file = write(format, ROWS);
      byte[] old = Files.readAllBytes(file);

      try (TableWriter writer = format.create(file, SCHEMA, Map.of())) {
        writer.write(ROWS.get(0));
      }

      assertThat(file).hasBinaryContent(old);
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).hasSize(TableFormat.values().length);
    }
  }

  @Test
  void wrongValues_areRefused() {
    for (TableFormat format : TableFormat.values()) {
      try (TableWriter writer =
          format.create(folder.resolve("t." + format.ending()), SCHEMA, Map.of())) {
        assertThatThrownBy(() -> writer.write(List.of("a", 1, 0.5, true)))
            .hasMessage("preemptions is '1', a Integer, must be a Long");
        assertThatThrownBy(() -> writer.write(List.of("a")))
            .hasMessage("a row of 1 values for 4 columns");
      }
    }
    assertThatThrownBy(() -> Column.text("TTFT p99", "")).hasMessageContaining("\"TTFT p99\"");
    assertThatThrownBy(() -> Schema.of(Column.text("a", ""), Column.text("a", "")))
        .hasMessage("two columns are called \"a\"");
  }

  @Test
  void noParquetFile_isNamed() throws IOException {
    Path none = folder.resolve("none.parquet");
    assertThatThrownBy(() -> Table.readParquet(none))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessage("no file " + none);
    Path text = Files.writeString(folder.resolve("text.parquet"), "hello, this is no table");
    assertThatThrownBy(() -> Table.readParquet(text))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageStartingWith(text + " cannot be read as Parquet");
    assertThatThrownBy(
            () -> TableFormat.PARQUET.create(folder.resolve("no/such/t.parquet"), SCHEMA, Map.of()))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("t.parquet cannot be written");
  }

  private Path write(TableFormat format, List<List<Object>> rows) {
    Path file = folder.resolve("table." + format.ending());
    try (TableWriter writer = format.create(file, SCHEMA, Map.of("sweep", "an example"))) {
      rows.forEach(writer::write);
      writer.finish();
    }
    return file;
  }

  @Test
  void symbolicLink_staysAndWhatItNamesIsReplaced() throws IOException {
    Path file = Files.writeString(folder.resolve("file.csv"), "before");
    Path link = Files.createSymbolicLink(folder.resolve("link.csv"), file);
    Schema schema = Schema.of(Column.whole("n", "", "a number"));
    try (TableWriter writer = TableFormat.CSV.create(link, schema, Map.of())) {
      writer.write(List.of(1L));
      assertThat(file).hasContent("before");
      writer.finish();
    }
    assertThat(link).isSymbolicLink();
    assertThat(file).hasContent("n\n1\n");
  }

  @Test
  void folderInThePlaceOfAFile_isRefusedAtOnce() {
    Schema schema = Schema.of(Column.whole("n", "", "a number"));
    assertThatThrownBy(() -> TableFormat.CSV.create(folder, schema, Map.of()))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(folder + " cannot be written");
  }

  private static String sql(String query) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      result.next();
      StringBuilder row = new StringBuilder();
      for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
        row.append(i > 1 ? " " : "").append(result.getString(i));
      }
      return row.toString();
    }
  }

  private static List<String> types(String query) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      return Stream.iterate(1, i -> i + 1)
          .limit(result.getMetaData().getColumnCount())
          .map(i -> {
            try {
              return result.getMetaData().getColumnTypeName(i);
            } catch (SQLException e) {
              throw new IllegalStateException(e);
            }
          })
          .toList();
    }
  }
}
