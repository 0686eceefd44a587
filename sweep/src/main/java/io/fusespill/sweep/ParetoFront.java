package io.fusespill.sweep;

import io.fusespill.replay.explain.Wording;
import io.fusespill.sim.profile.NearMatch;
import io.fusespill.tables.Column;
import io.fusespill.tables.ColumnType;
import io.fusespill.tables.Schema;
import io.fusespill.tables.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Those configurations of a sweep that no other beats in throughput and in latency both.
///
/// A configuration is everything but the seed; its figures are means over the seeds. Models and
/// workloads are not traded against one another: each pair has a front of its own.
public final class ParetoFront {

  /// Columns that tell one table from another.
  private static final List<String> TABLES = List.of("model", "workload");

  /// Columns that tell one configuration of a table from another.
  private static final List<String> CONFIGURATION =
      List.of("platform", "policy", "rate_requests_per_second", "rate_scale_ratio");

  /// @param labels values of [#TABLES] and [#CONFIGURATION]
  private record Point(
      List<@Nullable Object> labels, double throughput, double latency, int seeds) {

    boolean beats(Point other) {
      return throughput >= other.throughput
          && latency <= other.latency
          && (throughput > other.throughput || latency < other.latency);
    }
  }

  private final Table results;
  private final String throughput;
  private final String latency;

  /// @param results of a sweep
  /// @param throughput column that is better when larger
  /// @param latency column that is better when smaller
  /// @throws SweepException if the results lack a column, or are empty, or if the two columns are
  ///   one, or one of those that a configuration consists of
  public ParetoFront(Table results, String throughput, String latency) {
    this.results = results;
    this.throughput = requireNumbers(throughput);
    this.latency = requireNumbers(latency);
    TABLES.forEach(this::require);
    CONFIGURATION.forEach(this::require);
    if (throughput.equals(latency)) {
      throw new SweepException(
          "column \"%s\" stands on both sides: choose two that trade off".formatted(latency));
    }
    for (String name : List.of(throughput, latency)) {
      if (CONFIGURATION.contains(name)) {
        throw new SweepException(
            "column \"%s\" is part of what is compared: choose a figure".formatted(name));
      }
    }
    if (results.rows().isEmpty()) {
      throw new SweepException("the results are empty: no scenario of the sweep has finished");
    }
  }

  private String require(String name) {
    if (results.schema().indexOf(name) < 0) {
      List<String> known = results.schema().names();
      throw new SweepException(
          "the results have no column \"%s\"%s; they have %s"
              .formatted(name, NearMatch.hint(name, known), String.join(", ", known)));
    }
    return name;
  }

  private String requireNumbers(String name) {
    ColumnType type = column(require(name)).type();
    if (type != ColumnType.NUMBER && type != ColumnType.WHOLE) {
      throw new SweepException("column \"%s\" holds no numbers: choose another".formatted(name));
    }
    return name;
  }

  /// The front of each model and workload, in the order of the sweep, the slowest first within.
  ///
  /// @param all whether configurations that are beaten are there too; a column tells them
  public Table table(boolean all) {
    Map<List<@Nullable Object>, List<Point>> tables = new LinkedHashMap<>();
    for (Point point : points()) {
      tables
          .computeIfAbsent(point.labels().subList(0, TABLES.size()), key -> new ArrayList<>())
          .add(point);
    }
    List<List<@Nullable Object>> rows = new ArrayList<>();
    for (List<Point> points : tables.values()) {
      List<Point> sorted = new ArrayList<>(points);
      sorted.sort(
          Comparator.comparingDouble(Point::throughput).thenComparingDouble(Point::latency));
      for (Point point : sorted) {
        boolean front = points.stream().noneMatch(other -> other.beats(point));
        if (front || all) {
          List<@Nullable Object> row = new ArrayList<>(point.labels());
          row.add(point.throughput());
          row.add(point.latency());
          row.add((long) point.seeds());
          row.add(front);
          rows.add(row);
        }
      }
    }
    return Table.of(schema(), rows);
  }

  private Schema schema() {
    List<Column> columns = new ArrayList<>();
    for (String name : labels()) {
      columns.add(column(name));
    }
    columns.add(mean(throughput));
    columns.add(mean(latency));
    columns.add(Column.whole("seeds", "", "that the figures are means over"));
    columns.add(Column.flag("front", "whether no other configuration beats it in both"));
    return new Schema(columns);
  }

  private Column mean(String name) {
    return Column.number(
        name, column(name).unit(), column(name).description() + "; mean over the seeds");
  }

  private Column column(String name) {
    return results.schema().columns().get(results.schema().indexOf(name));
  }

  private static List<String> labels() {
    List<String> labels = new ArrayList<>(TABLES);
    labels.addAll(CONFIGURATION);
    return labels;
  }

  /// How many configurations are left out because they lack a figure, and of which platforms they
  /// are: a line for each figure that some lack.
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    for (String name : List.of(throughput, latency)) {
      int lacking = 0;
      Set<String> platforms = new LinkedHashSet<>();
      for (Map.Entry<List<@Nullable Object>, List<Integer>> each : configurations().entrySet()) {
        if (mean(each.getValue(), name) == null) {
          lacking++;
          platforms.add(String.valueOf(results.value(each.getValue().getFirst(), "platform")));
        }
      }
      if (lacking > 0) {
        notes.add(
            "%s without %s left out, of %s"
                .formatted(
                    Wording.count(lacking, "configuration"), name, String.join(", ", platforms)));
      }
    }
    return notes;
  }

  /// The rows of each configuration.
  private Map<List<@Nullable Object>, List<Integer>> configurations() {
    Map<List<@Nullable Object>, List<Integer>> rows = new LinkedHashMap<>();
    for (int row = 0; row < results.rows().size(); row++) {
      List<@Nullable Object> labels = new ArrayList<>();
      for (String name : labels()) {
        labels.add(results.value(row, name));
      }
      rows.computeIfAbsent(labels, key -> new ArrayList<>()).add(row);
    }
    return rows;
  }

  /// Configurations all of whose seeds have both figures.
  private List<Point> points() {
    List<Point> points = new ArrayList<>();
    for (Map.Entry<List<@Nullable Object>, List<Integer>> each : configurations().entrySet()) {
      Double x = mean(each.getValue(), throughput);
      Double y = mean(each.getValue(), latency);
      if (x != null && y != null) {
        points.add(new Point(each.getKey(), x, y, each.getValue().size()));
      }
    }
    return points;
  }

  private @Nullable Double mean(List<Integer> rows, String name) {
    List<Number> values =
        rows.stream()
            .map(row -> results.value(row, name))
            .filter(Number.class::isInstance)
            .map(value -> (Number) Objects.requireNonNull(value))
            .toList();
    return values.size() < rows.size()
        ? null
        : values.stream().mapToDouble(Number::doubleValue).sum() / values.size();
  }
}
