package io.fusespill.sweep;

import io.fusespill.engine.EngineVersion;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sweep.ScenarioResult.Finished;
import io.fusespill.tables.Column;
import io.fusespill.tables.Schema;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// How a task and its figures become a row of the result table: what the scenario was, its figures,
/// what it cost.
///
/// @param metrics names of the figures that rows hold; empty for all
/// @param prices null where nobody gave any; the columns are there all the same
public record SweepRows(List<String> metrics, @Nullable Prices prices) {

  static final Column RATE =
      Column.number(
          "rate_requests_per_second",
          "requests_per_second",
          "that arrivals are drawn with; none for a trace's own, and for all at once");

  static final Column RATE_SCALE =
      Column.number(
          "rate_scale_ratio", "ratio", "factor on the rate of a trace's own arrivals, if any");

  private static final double SECONDS_PER_HOUR = 3_600;
  private static final double MILLION = 1e6;

  private static final List<Column> LABELS =
      List.of(
          Column.whole("scenario", "", "place in the sweep, from 0"),
          Column.text("scenario_key", "what the figures follow from, as a hash"),
          Column.text("platform", "as the specification calls it"),
          Column.text("devices", "cards of each device, devices with commas between"),
          Column.text("model", "model profile"),
          Column.text("workload", "as the specification calls it"),
          RATE,
          RATE_SCALE,
          Column.text("policy", "as the specification calls the row"),
          Column.text("policy_name", "policy"),
          Column.text("policy_options", "its options as given, NAME=VALUE with spaces between"),
          Column.flag("upper_bound", "whether it is told true output lengths"),
          Column.whole("seed", "", "of whatever is drawn"));

  public SweepRows {
    metrics = List.copyOf(metrics);
  }

  public static SweepRows of(SweepSpec spec) {
    return new SweepRows(spec.metrics(), spec.prices());
  }

  /// As one line of JSON.
  public String toJson() {
    return SweepJson.write(this);
  }

  /// @throws IllegalArgumentException if [#toJson] did not write it
  public static SweepRows fromJson(String json) {
    return SweepJson.read(json, SweepRows.class);
  }

  /// The columns: those of the scenario, the figures, those of the price.
  public Schema schema() {
    String currency = prices == null ? "currency" : prices.currency();
    List<Column> columns = new ArrayList<>(LABELS);
    columns.addAll(figures());
    columns.add(
        Column.number(
            "price_per_hour", currency + "_per_hour", "of the platform's cards; none if unknown"));
    columns.add(
        Column.number(
            "price_per_million_output_tokens",
            currency + "_per_million_tokens",
            "price of the run's duration over its output tokens; none if unknown"));
    return new Schema(columns);
  }

  private List<Column> figures() {
    return SweepFigures.columns().stream()
        .filter(column -> metrics.isEmpty() || metrics.contains(column.name()))
        .toList();
  }

  /// The row of a task that has run to its end.
  public List<@Nullable Object> row(SweepTask task, Finished finished) {
    SweepScenario scenario = task.scenario();
    TopologySpec topology = scenario.scenario().topology();
    List<@Nullable Object> row = new ArrayList<>();
    row.add((long) task.index());
    row.add(task.key());
    row.add(scenario.platform());
    row.add(devices(topology));
    row.add(scenario.model());
    row.add(scenario.workload());
    row.add(scenario.rate());
    row.add(scenario.rateScale());
    row.add(scenario.policy());
    row.add(scenario.scenario().policy().name());
    row.add(
        scenario.scenario().policy().options().entrySet().stream()
            .map(option -> option.getKey() + "=" + option.getValue())
            .collect(Collectors.joining(" ")));
    row.add(scenario.scenario().oracle());
    row.add(scenario.seed());
    figures().forEach(column -> row.add(finished.figures().get(column.name())));
    Double perHour = prices == null ? null : prices.perHour(topology);
    row.add(perHour);
    row.add(perHour == null ? null : perMillionTokens(perHour, finished.figures()));
    return row;
  }

  private static @Nullable Double perMillionTokens(
      double perHour, Map<String, @Nullable Object> figures) {
    return figures.get("output_tokens") instanceof Long tokens
            && tokens > 0
            && figures.get("duration_seconds") instanceof Double seconds
        ? perHour * seconds / SECONDS_PER_HOUR / tokens * MILLION
        : null;
  }

  private static String devices(TopologySpec topology) {
    return topology.devices().stream()
        .map(device -> device.spec().group().name())
        .collect(Collectors.joining(","));
  }

  /// What a Parquet file says of the sweep beside its columns.
  public Map<String, String> metadata(String sweep) {
    Map<String, String> metadata = new TreeMap<>();
    metadata.put("fusespill.sweep", sweep);
    metadata.put("fusespill.version", EngineVersion.VERSION);
    if (prices != null) {
      metadata.put("fusespill.prices", "%s; %s".formatted(prices.currency(), prices.source()));
    }
    return metadata;
  }
}
