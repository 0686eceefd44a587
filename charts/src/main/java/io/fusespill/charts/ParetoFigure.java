package io.fusespill.charts;

import io.fusespill.charts.Facets.Mean;
import io.fusespill.charts.Results.Row;
import io.fusespill.charts.Sheet.LegendEntry;
import java.awt.Graphics2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.XYPlot;

/// Throughput against tail latency, a mark a scenario. The line is the Pareto front: nothing else
/// is both faster and no later. Bounds are left out.
final class ParetoFigure {

  private static final double PANEL_POINTS = 165;
  private static final int FEWEST = 4;
  private static final int LABELS_MAX = 12;
  private static final double LOG_FROM_RATIO = 15;

  private record Point(String series, String label, double x, double y, boolean front) {}

  private ParetoFigure() {}

  static boolean fits(Results results) {
    return results.first("e2e_p99_seconds", "p99_e2el_ms").isPresent()
        && results.rows().size() >= FEWEST;
  }

  static List<Figure> of(Results results, GridKind.Axes axes) {
    Quantity x = axes.x() == null ? Quantity.tail(results) : Quantity.of(results.require(axes.x()));
    Quantity y =
        axes.y() == null ? Quantity.throughput(results) : Quantity.of(results.require(axes.y()));
    List<String> within = Facets.varying(results, List.of("model", "workload"));
    return Facets.figures(
        results,
        Facets.name(Facets.name("pareto", axes.x()), axes.y()),
        within,
        (name, facet, rows) -> figure(results, name, facet, x, y, within, rows));
  }

  private static Figure figure(
      Results results,
      String name,
      String facet,
      Quantity x,
      Quantity y,
      List<String> within,
      List<Row> rows) {
    String series = within.contains("policy") || within.isEmpty() ? "policy" : within.getFirst();
    List<String> named = within.stream().filter(axis -> !axis.equals(series)).toList();
    List<Point> all = new ArrayList<>();
    // A bound has what nobody has: nothing real can be measured by it.
    List<Row> real = rows.stream().filter(row -> !row.text("standing").equals("bound")).toList();
    for (Map.Entry<List<String>, List<Row>> group :
        Facets.by(real, within.isEmpty() ? List.of(series) : within).entrySet()) {
      Row first = group.getValue().getFirst();
      double px = Mean.of(group.getValue(), x).value();
      double py = Mean.of(group.getValue(), y).value();
      if (Double.isFinite(px) && Double.isFinite(py)) {
        String label = Facets.text(named, named.stream().map(first::text).toList());
        all.add(new Point(first.text(series), label, px, py, false));
      }
    }
    List<Point> points = new ArrayList<>();
    DataTable.Builder data =
        new DataTable.Builder(series, "scenario", x.column(), y.column(), "front");
    for (Point point : all) {
      boolean front = all.stream().noneMatch(other -> beats(other, point));
      points.add(new Point(point.series(), point.label(), point.x(), point.y(), front));
      data.row(
          point.series(),
          point.label(),
          point.x() / x.factor(),
          point.y() / y.factor(),
          String.valueOf(front));
    }
    return new Figure(
        name,
        Facets.titled("Pareto front", facet),
        results.source(),
        data.build(),
        style -> sheet(style, x, y, points));
  }

  /// Whether `one` is no worse in either way and better in one.
  private static boolean beats(Point one, Point other) {
    return one.x() <= other.x()
        && one.y() >= other.y()
        && (one.x() < other.x() || one.y() > other.y());
  }

  private static Sheet sheet(Style style, Quantity x, Quantity y, List<Point> points) {
    Look look = new Look(style);
    List<String> series = points.stream().map(Point::series).distinct().toList();
    List<LegendEntry> legend = new ArrayList<>();
    for (int i = 0; i < series.size(); i++) {
      legend.add(new LegendEntry(series.get(i), look.markSwatch(look.color(i), Look.mark(i, 5))));
    }
    legend.add(new LegendEntry("Pareto front", look.ruleSwatch()));
    double left = points.stream().mapToDouble(Point::x).min().orElse(0);
    double right = points.stream().mapToDouble(Point::x).max().orElse(1);
    double top = points.stream().mapToDouble(Point::y).max().orElse(1);
    ValueAxis domain;
    if (left > 0 && right / left > LOG_FROM_RATIO) {
      domain = look.decadeAxis(x.label());
      domain.setRange(left / 1.2, right * 1.2);
    } else {
      domain = look.zeroAxis(x.label());
      domain.setRange(0, Math.max(right, 1e-9) * 1.06);
    }
    NumberAxis range = look.zeroAxis(y.label());
    range.setRange(0, Math.max(top, 1e-9) * 1.1);
    XYPlot plot = look.plot(domain, range);
    Layer.add(plot, (g, scale) -> front(g, scale, look, points));
    Layer.add(
        plot,
        (g, scale) -> {
          for (Point point : points) {
            int index = series.indexOf(point.series());
            g.setColor(
                point.front() ? look.color(index) : look.theme().tint(look.color(index), 0.6));
            g.fill(
                Look.at(
                    Look.mark(index, point.front() ? 5.5 : 4),
                    scale.x(point.x()),
                    scale.y(point.y())));
          }
        });
    Layer.add(plot, (g, scale) -> label(g, scale, look, points));
    return Sheet.of(legend, PANEL_POINTS, Look.panel(plot));
  }

  private static List<Point> front(List<Point> points) {
    return points.stream()
        .filter(Point::front)
        .sorted(Comparator.comparingDouble(Point::x).thenComparingDouble(Point::y))
        .toList();
  }

  private static void front(Graphics2D g, Layer.Scale scale, Look look, List<Point> points) {
    Path2D line = new Path2D.Double();
    List<Point> front = front(points);
    for (int i = 0; i < front.size(); i++) {
      double x = scale.x(front.get(i).x());
      double y = scale.y(front.get(i).y());
      if (i == 0) {
        line.moveTo(x, scale.area().getMaxY());
      } else {
        line.lineTo(x, scale.y(front.get(i - 1).y()));
      }
      line.lineTo(x, y);
    }
    if (!front.isEmpty()) {
      line.lineTo(scale.area().getMaxX(), scale.y(front.getLast().y()));
    }
    g.setColor(look.theme().ink());
    g.setStroke(Look.stroke(1, 0.8f));
    g.draw(line);
  }

  /// Names the points of the front where a name covers neither a point, the line nor another name.
  private static void label(Graphics2D g, Layer.Scale scale, Look look, List<Point> points) {
    List<Rectangle2D> taken = new ArrayList<>();
    for (Point point : points) {
      taken.add(new Rectangle2D.Double(scale.x(point.x()) - 2.5, scale.y(point.y()) - 2.5, 5, 5));
    }
    List<Point> front = front(points);
    for (int i = 0; i < front.size(); i++) {
      double x = scale.x(front.get(i).x());
      double y = scale.y(front.get(i).y());
      double next = i + 1 < front.size() ? scale.x(front.get(i + 1).x()) : scale.area().getMaxX();
      double below = i == 0 ? scale.area().getMaxY() : scale.y(front.get(i - 1).y());
      taken.add(new Rectangle2D.Double(x, y - 0.5, next - x, 1));
      taken.add(new Rectangle2D.Double(x - 0.5, y, 1, below - y));
    }
    int count = 0;
    String before = "";
    for (Point point : front) {
      if (point.label().isEmpty() || point.label().equals(before) || count == LABELS_MAX) {
        continue;
      }
      double width = Fonts.width(point.label(), Fonts.regular(Fonts.SMALL));
      double x = scale.x(point.x());
      double y = scale.y(point.y());
      List<Rectangle2D> places =
          List.of(
              new Rectangle2D.Double(x - width - 4, y - 9, width, 8),
              new Rectangle2D.Double(x + 4, y - 9, width, 8),
              new Rectangle2D.Double(x + 4, y + 2, width, 8));
      for (Rectangle2D place : places) {
        if (scale.area().contains(place) && taken.stream().noneMatch(place::intersects)) {
          Look.text(
              g, point.label(), place.getX(), place.getMaxY() - 1.8, look.theme().ink(), false);
          taken.add(place);
          before = point.label();
          count++;
          break;
        }
      }
    }
  }
}
