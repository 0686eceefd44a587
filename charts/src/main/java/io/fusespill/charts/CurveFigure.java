package io.fusespill.charts;

import io.fusespill.charts.Facets.Mean;
import io.fusespill.charts.Results.Row;
import io.fusespill.charts.Sheet.LegendEntry;
import java.awt.BasicStroke;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.XYPlot;

/// A value against a numeric axis or option, a line a policy; policies without that option are
/// level lines. Of a rate against an option, the highest point of each line is ringed.
final class CurveFigure {

  private static final double PANEL_POINTS = 140;
  private static final int FEWEST = 3;
  private static final double LOG_FROM_RATIO = 30;

  private record Point(double x, Mean mean) {}

  private record Line(String label, List<Point> points, boolean level) {}

  private CurveFigure() {}

  static boolean fits(Results results) {
    return numericAxis(results).isPresent();
  }

  /// The rate if it varies, else the first option that takes three numbers or more.
  private static Optional<String> numericAxis(Results results) {
    List<String> candidates =
        new ArrayList<>(List.of("rate_requests_per_second", "rate_scale_ratio"));
    for (Row row : results.rows()) {
      for (String option : row.text("policy_options").split(" ", -1)) {
        String name = option.replaceAll("=.*", "");
        if (!name.isEmpty() && !candidates.contains(name)) {
          candidates.add(name);
        }
      }
    }
    return candidates.stream().filter(column -> numbers(results, column) >= FEWEST).findFirst();
  }

  private static long numbers(Results results, String column) {
    return results.rows().stream()
        .mapToDouble(row -> row.number(column))
        .filter(Double::isFinite)
        .distinct()
        .count();
  }

  static List<Figure> of(Results results, GridKind.Axes axes) {
    String column = axes.x();
    if (column == null) {
      column =
          numericAxis(results)
              .orElseThrow(() ->
                  new ResultsException(
                      "%s: neither a rate nor an option takes three numbers or more: name a column with --x"
                          .formatted(results.name())));
    }
    Quantity x = Quantity.of(results.require(column));
    if (numbers(results, column) < 2) {
      throw new ResultsException(
          "%s: column '%s' holds fewer than two numbers: choose another --x"
              .formatted(results.name(), column));
    }
    Quantity y =
        axes.value() == null
            ? Quantity.throughput(results)
            : Quantity.of(results.require(axes.value()));
    String title = "%s against %s".formatted(name(y), lower(name(x)));
    return Facets.figures(
        results,
        Facets.name("curve", axes.value()),
        List.of(column, "policy"),
        (name, facet, rows) -> figure(results, name, Facets.titled(title, facet), x, y, rows));
  }

  private static String name(Quantity quantity) {
    return quantity.label().replaceAll(",.*", "");
  }

  private static String lower(String text) {
    return Character.toLowerCase(text.charAt(0)) + text.substring(1);
  }

  private static Figure figure(
      Results results, String name, String title, Quantity x, Quantity y, List<Row> rows) {
    boolean option = !Facets.AXES.contains(x.column());
    List<Row> valued = rows.stream().filter(row -> Double.isFinite(y.of(row))).toList();
    List<Line> lines = new ArrayList<>();
    // Rows that differ in the option alone have names of their own: what is swept is the policy.
    Facets.by(valued, List.of(option ? "policy_name" : "policy"))
        .forEach((key, some) -> {
          TreeMap<Double, List<Row>> points = new TreeMap<>();
          List<Row> without = new ArrayList<>();
          for (Row row : some) {
            double at = x.of(row);
            if (Double.isFinite(at)) {
              points.computeIfAbsent(at, value -> new ArrayList<>()).add(row);
            } else {
              without.add(row);
            }
          }
          if (!points.isEmpty()) {
            List<Point> line = new ArrayList<>();
            points.forEach((at, group) -> line.add(new Point(at, Mean.of(group, y))));
            String label =
                key.getFirst().isEmpty() ? some.getFirst().text("policy") : key.getFirst();
            lines.add(new Line(label, line, false));
          }
          for (Map.Entry<List<String>, List<Row>> level :
              Facets.by(without, List.of("policy")).entrySet()) {
            lines.add(
                new Line(
                    level.getKey().getFirst(),
                    List.of(new Point(0, Mean.of(level.getValue(), y))),
                    true));
          }
        });
    DataTable.Builder data =
        new DataTable.Builder("policy", x.column(), y.column(), y.column() + "_spread", "seeds");
    for (Line line : lines) {
      for (Point point : line.points()) {
        data.row(
            line.label(),
            line.level() ? Double.NaN : point.x() / x.factor(),
            point.mean().value() / y.factor(),
            point.mean().spread() / y.factor(),
            point.mean().count());
      }
    }
    // Of all results: figures beside each other have one scale, and some may have levels alone.
    DoubleSummaryStatistics span =
        results.rows().stream().mapToDouble(x::of).filter(Double::isFinite).summaryStatistics();
    return new Figure(
        name,
        title,
        results.source(),
        data.build(),
        style -> {
          Look look = new Look(style);
          ValueAxis domain = domain(look, x, span.getMin(), span.getMax());
          return sheet(look, domain, y, lines, option && y.label().endsWith("/s"));
        });
  }

  private static ValueAxis domain(Look look, Quantity x, double left, double right) {
    if (left > 0 && right / left > LOG_FROM_RATIO) {
      ValueAxis domain = look.decadeAxis(x.label());
      domain.setRange(left / 1.1, right * 1.1);
      return domain;
    }
    ValueAxis domain = look.axis(x.label());
    double margin = 0.03 * (right - left);
    domain.setRange(left - margin, right + margin);
    return domain;
  }

  private static Sheet sheet(
      Look look, ValueAxis domain, Quantity y, List<Line> lines, boolean ringed) {
    List<LegendEntry> legend = new ArrayList<>();
    double low = Double.MAX_VALUE;
    double high = 0;
    for (int i = 0; i < lines.size(); i++) {
      Line line = lines.get(i);
      legend.add(new LegendEntry(line.label(), look.lineSwatch(i, !line.level())));
      for (Point point : line.points()) {
        low = Math.min(low, point.mean().value());
        high = Math.max(high, point.mean().value() + point.mean().spread());
      }
    }
    ValueAxis range;
    if (low > 0 && high / low > LOG_FROM_RATIO) {
      range = look.decadeAxis(y.label());
      range.setRange(low / 1.2, high * 1.2);
    } else {
      NumberAxis axis = look.zeroAxis(y.label());
      axis.setRange(0, Math.max(high, 1e-9) * 1.08);
      range = axis;
    }
    XYPlot plot = look.plot(domain, range);
    Layer.add(
        plot,
        (g, scale) -> {
          for (int i = 0; i < lines.size(); i++) {
            draw(g, scale, look, i, lines.get(i), ringed);
          }
        });
    return Sheet.of(legend, PANEL_POINTS, Look.panel(plot));
  }

  private static void draw(
      Graphics2D g, Layer.Scale scale, Look look, int series, Line line, boolean ringed) {
    g.setColor(look.color(series));
    g.setStroke(Look.stroke(series, Look.LINE));
    if (line.level()) {
      double y = scale.y(line.points().getFirst().mean().value());
      g.draw(new Line2D.Double(scale.area().getX(), y, scale.area().getMaxX(), y));
      return;
    }
    double[] xs = line.points().stream().mapToDouble(Point::x).toArray();
    double[] ys = line.points().stream().mapToDouble(point -> point.mean().value()).toArray();
    g.draw(scale.line(xs, ys));
    Point best = line.points().getFirst();
    for (Point point : line.points()) {
      double x = scale.x(point.x());
      g.setStroke(new BasicStroke(0.7f));
      if (point.mean().spread() > 0) {
        g.draw(
            new Line2D.Double(
                x,
                scale.y(point.mean().value() - point.mean().spread()),
                x,
                scale.y(point.mean().value() + point.mean().spread())));
      }
      g.fill(Look.at(Look.mark(series, 4), x, scale.y(point.mean().value())));
      best = point.mean().value() > best.mean().value() ? point : best;
    }
    if (ringed) {
      g.setColor(look.theme().ink());
      g.draw(Look.at(Look.mark(0, 7.5), scale.x(best.x()), scale.y(best.mean().value())));
    }
  }
}
