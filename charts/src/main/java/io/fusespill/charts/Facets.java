package io.fusespill.charts;

import io.fusespill.charts.Results.Row;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Results by what they are results of.
final class Facets {

  /// What tells scenarios apart. Seeds do not: figures show their mean.
  static final List<String> AXES =
      List.of(
          "platform",
          "model",
          "workload",
          "rate_requests_per_second",
          "rate_scale_ratio",
          "policy");

  /// More figures of one kind than this are more than anybody wants.
  private static final int FIGURES_MAX = 40;

  /// Mean and standard deviation of a sample.
  record Mean(double value, double spread, int count) {

    static Mean of(List<Row> rows, Quantity quantity) {
      double[] values = rows.stream().mapToDouble(quantity::of).filter(Double::isFinite).toArray();
      double sum = 0;
      for (double value : values) {
        sum += value;
      }
      double mean = sum / values.length;
      double squares = 0;
      for (double value : values) {
        squares += (value - mean) * (value - mean);
      }
      return new Mean(
          mean, values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)), values.length);
    }
  }

  private Facets() {}

  /// The axes, apart from `used`, on which results differ.
  static List<String> varying(Results results, List<String> used) {
    return AXES.stream()
        .filter(axis -> !used.contains(axis) && results.values(axis).size() > 1)
        .toList();
  }

  /// Rows by their values of some columns, in the order in which they come.
  static Map<List<String>, List<Row>> by(List<Row> rows, List<String> columns) {
    Map<List<String>, List<Row>> groups = new LinkedHashMap<>();
    for (Row row : rows) {
      List<String> key = columns.stream().map(row::text).toList();
      groups.computeIfAbsent(key, values -> new ArrayList<>()).add(row);
    }
    return groups;
  }

  /// Makes a figure of the rows that differ in `shown` alone.
  interface Maker {

    /// @param name of the figure
    /// @param title what sets these rows apart, empty for all there are
    Figure make(String name, String title, List<Row> rows);
  }

  /// A figure's name with the column of values that the reader chose, if any: another choice is
  /// another file.
  static String name(String kind, @Nullable String chosen) {
    return chosen == null ? kind : kind + "-" + FigureKind.fileNames(List.of(chosen)).getFirst();
  }

  /// A figure for each combination of what is not shown.
  static List<Figure> figures(Results results, String name, List<String> shown, Maker maker) {
    List<String> rest = varying(results, shown);
    Map<List<String>, List<Row>> facets = by(results.rows(), rest);
    if (facets.size() > FIGURES_MAX) {
      throw new ResultsException(
          "%s: would be %d figures of kind %s, one for each combination of %s: choose some with --only, at most %d"
              .formatted(
                  results.name(), facets.size(), name, String.join(", ", rest), FIGURES_MAX));
    }
    List<Figure> figures = new ArrayList<>();
    Iterator<String> files =
        FigureKind.fileNames(facets.keySet().stream().map(key -> String.join("-", key)).toList())
            .iterator();
    facets.forEach((key, rows) -> {
      String file = files.next();
      figures.add(maker.make(key.isEmpty() ? name : name + "-" + file, text(rest, key), rows));
    });
    return figures;
  }

  /// Values as words: `2xa10, vicuna-7b, 4 requests/s`.
  static String text(List<String> axes, List<String> values) {
    StringJoiner text = new StringJoiner(", ");
    for (int i = 0; i < axes.size(); i++) {
      text.add(text(axes.get(i), values.get(i)));
    }
    return text.toString();
  }

  static String text(String axis, String value) {
    return switch (axis) {
      case "rate_requests_per_second" ->
          value.isEmpty() ? "own arrivals" : plain(value) + " requests/s";
      case "rate_scale_ratio" -> value.isEmpty() ? "own rate" : plain(value) + " × the rate";
      default -> value;
    };
  }

  /// A number without zeros at its end; anything else as it is.
  static String plain(String value) {
    try {
      return new BigDecimal(value).stripTrailingZeros().toPlainString();
    } catch (NumberFormatException e) {
      return value;
    }
  }

  static String titled(String title, String facet) {
    return facet.isEmpty() ? title : title + ": " + facet;
  }
}
