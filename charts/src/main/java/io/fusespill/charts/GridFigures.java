package io.fusespill.charts;

import io.fusespill.charts.Facets.Mean;
import io.fusespill.charts.Results.Row;
import io.fusespill.charts.ThroughputFigure.Bar;
import io.fusespill.charts.ThroughputFigure.Part;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Throughput of results of many runs, compared within platform, model and workload.
final class GridFigures {

  private GridFigures() {}

  /// A figure for each platform and model, a group for each workload and rate.
  static List<Figure> throughput(Results results, GridKind.Axes axes) {
    Quantity value = Quantity.throughput(results);
    List<String> groups = Facets.varying(results, List.of("platform", "model", "policy"));
    List<String> shown = new ArrayList<>(groups);
    shown.add("policy");
    return Facets.figures(
        results,
        "throughput",
        shown,
        (name, facet, rows) -> figure(results, name, facet, groups, value, rows));
  }

  private static Figure figure(
      Results results,
      String name,
      String facet,
      List<String> groups,
      Quantity value,
      List<Row> rows) {
    List<Bar> bars = new ArrayList<>();
    Facets.by(rows, groups)
        .forEach((key, group) -> bars.addAll(bars(Facets.text(groups, key), group, value)));
    boolean baselines = results.has("standing");
    String title =
        baselines
            ? "Throughput, and gain over the best baseline"
            : "Throughput, and gain over the first policy";
    return ThroughputFigure.of(name, Facets.titled(title, facet), results.source(), bars);
  }

  private static List<Bar> bars(String group, List<Row> rows, Quantity value) {
    Map<List<String>, List<Row>> policies = Facets.by(rows, List.of("policy"));
    List<Row> best = List.of();
    double most = -1;
    for (List<Row> policy : policies.values()) {
      boolean first = best.isEmpty() && policy.getFirst().text("standing").isEmpty();
      boolean baseline = part(policy.getFirst(), false) == Part.BASELINE;
      double mean = Mean.of(policy, value).value();
      if (first || (baseline && mean > most)) {
        best = policy;
        most = mean;
      }
    }
    List<Bar> bars = new ArrayList<>();
    for (Map.Entry<List<String>, List<Row>> policy : policies.entrySet()) {
      Mean mean = Mean.of(policy.getValue(), value);
      Mean gain =
          policy.getValue().equals(best)
              ? new Mean(Double.NaN, 0, 0)
              : gain(policy.getValue(), best, value);
      bars.add(
          new Bar(
              group,
              policy.getKey().getFirst(),
              part(policy.getValue().getFirst(), policy.getValue().equals(best)),
              mean.value(),
              mean.spread(),
              gain.value(),
              gain.count() < 2 || Math.abs(gain.value()) > gain.spread()));
    }
    return bars;
  }

  private static Part part(Row row, boolean first) {
    return switch (row.text("standing").toLowerCase(Locale.ROOT)) {
      case "baseline" -> Part.BASELINE;
      case "bound" -> Part.BOUND;
      default -> first ? Part.BASELINE : Part.CONTENDER;
    };
  }

  /// Seed by seed, because the same seed gives every policy the same requests.
  static Mean gain(List<Row> rows, List<Row> baseline, Quantity value) {
    Map<String, Row> bySeed = new LinkedHashMap<>();
    baseline.forEach(row -> bySeed.put(row.text("seed"), row));
    List<Row> gains = new ArrayList<>();
    for (Row row : rows) {
      Row other = bySeed.get(row.text("seed"));
      if (other != null && value.of(other) > 0) {
        gains.add(new Row(Map.of("gain", String.valueOf(value.of(row) / value.of(other) - 1))));
      }
    }
    return gains.isEmpty()
        ? new Mean(Double.NaN, 0, 0)
        : Mean.of(gains, new Quantity("gain", "Gain", 1));
  }
}
