package io.fusespill.charts;

import io.fusespill.charts.Facets.Mean;
import io.fusespill.charts.Results.Row;
import io.fusespill.charts.Sheet.LegendEntry;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jfree.chart.plot.XYPlot;

/// A value over two axes of a sweep: the darker, the higher, with the number where it has room.
final class HeatMapFigure {

  private static final double CELL_POINTS = 14;
  private static final double AXIS_POINTS = 20;
  private static final double SIDES = 22;

  private record Cell(int column, int row, Mean mean) {}

  private HeatMapFigure() {}

  static boolean fits(Results results) {
    return Facets.varying(results, List.of()).size() >= 2;
  }

  static List<Figure> of(Results results, GridKind.Axes axes) {
    List<String> varying = new ArrayList<>(Facets.varying(results, List.of()));
    varying.sort(Comparator.comparingInt(axis -> -results.values(axis).size()));
    String y =
        axes.y() != null ? results.require(axes.y()) : other(results, varying, axes.x(), "policy");
    String x = axes.x() != null ? results.require(axes.x()) : other(results, varying, y, "");
    Quantity value =
        axes.value() == null
            ? Quantity.throughput(results)
            : Quantity.of(results.require(axes.value()));
    return Facets.figures(
        results,
        Facets.name("heatmap", axes.value()),
        List.of(x, y),
        (name, facet, rows) ->
            figure(results, name, Facets.titled(value.label(), facet), x, y, value, rows));
  }

  /// An axis that varies and is not `taken`: `preferred` if it does.
  private static String other(
      Results results,
      List<String> varying,
      @org.jspecify.annotations.Nullable String taken,
      String preferred) {
    if (varying.contains(preferred) && !preferred.equals(taken)) {
      return preferred;
    }
    return varying.stream()
        .filter(axis -> !axis.equals(taken))
        .findFirst()
        .orElseThrow(() ->
            new ResultsException(
                "%s: results differ on no two of %s: name columns with --x and --y"
                    .formatted(results.name(), String.join(", ", Facets.AXES))));
  }

  private static List<String> values(List<Row> rows, String column) {
    List<String> values =
        new ArrayList<>(rows.stream().map(row -> row.text(column)).distinct().toList());
    if (rows.stream().allMatch(row -> Double.isFinite(row.number(column)))) {
      values.sort(Comparator.comparingDouble(Double::parseDouble));
    }
    return values;
  }

  private static Figure figure(
      Results results,
      String name,
      String title,
      String x,
      String y,
      Quantity value,
      List<Row> rows) {
    List<String> columns = values(rows, x);
    List<String> lines = values(rows, y);
    List<Cell> cells = new ArrayList<>();
    DataTable.Builder data =
        new DataTable.Builder(x, y, value.column(), value.column() + "_spread", "seeds");
    for (Map.Entry<List<String>, List<Row>> group : Facets.by(rows, List.of(x, y)).entrySet()) {
      Mean mean = Mean.of(group.getValue(), value);
      if (mean.count() > 0) {
        cells.add(
            new Cell(
                columns.indexOf(group.getKey().getFirst()),
                lines.indexOf(group.getKey().getLast()),
                mean));
        data.row(
            group.getKey().getFirst(),
            group.getKey().getLast(),
            mean.value() / value.factor(),
            mean.spread() / value.factor(),
            mean.count());
      }
    }
    return new Figure(
        name,
        title,
        results.source(),
        data.build(),
        style -> sheet(style, x, y, columns, lines, cells));
  }

  private static String axisLabel(String axis) {
    return Quantity.of(axis).label();
  }

  private static Sheet sheet(
      Style style, String x, String y, List<String> columns, List<String> lines, List<Cell> cells) {
    Look look = new Look(style);
    double low = cells.stream().mapToDouble(cell -> cell.mean().value()).min().orElse(0);
    double high = cells.stream().mapToDouble(cell -> cell.mean().value()).max().orElse(1);
    LaneAxis range = new LaneAxis(look, lines.stream().map(Facets::plain).toList());
    range.setLabel(axisLabel(y));
    double names =
        lines.stream()
            .mapToDouble(line -> Fonts.width(Facets.plain(line), Fonts.regular(Fonts.SMALL)))
            .max()
            .orElse(0);
    LaneAxis domain =
        LaneAxis.horizontal(
            look,
            columns.stream().map(Facets::plain).toList(),
            (style.points() - names - SIDES) / columns.size());
    domain.setLabel(axisLabel(x));
    XYPlot plot = look.plot(domain, range);
    plot.setRangeGridlinesVisible(false);
    plot.setDomainGridlinesVisible(false);
    Layer.add(
        plot,
        (g, scale) -> {
          for (Cell cell : cells) {
            double share = high == low ? 1 : (cell.mean().value() - low) / (high - low);
            Rectangle2D box =
                scale.box(
                    cell.column() - 0.5, cell.row() - 0.5, cell.column() + 0.5, cell.row() + 0.5);
            fill(g, look, box, share, number(cell.mean().value()));
          }
        });
    List<LegendEntry> legend =
        List.of(
            new LegendEntry(number(low), (g, box) -> fill(g, look, box, 0, "")),
            new LegendEntry(number((low + high) / 2), (g, box) -> fill(g, look, box, 0.5, "")),
            new LegendEntry(number(high), (g, box) -> fill(g, look, box, 1, "")));
    return Sheet.of(
        legend, lines.size() * CELL_POINTS + AXIS_POINTS + domain.labelPoints(), Look.panel(plot));
  }

  static String number(double value) {
    double size = Math.abs(value);
    return String.format(Locale.ROOT, size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : "%.2f", value);
  }

  private static Color ramp(Look look, double share) {
    boolean light = look.theme() == Theme.LIGHT;
    Color full = light ? new Color(0x08396b) : new Color(0x9fd6f7);
    return look.theme().tint(full, 0.1 + 0.85 * share);
  }

  private static void fill(Graphics2D g, Look look, Rectangle2D box, double share, String text) {
    g.setColor(ramp(look, share));
    g.fill(
        new Rectangle2D.Double(
            box.getX() + 0.3, box.getY() + 0.3, box.getWidth() - 0.6, box.getHeight() - 0.6));
    double width = Fonts.width(text, Fonts.regular(Fonts.SMALL));
    if (!text.isEmpty() && width + 2 < box.getWidth()) {
      Color ink = look.inkOn(ramp(look, share));
      Look.text(g, text, box.getCenterX() - width / 2, box.getCenterY() + 2.5, ink, false);
    }
  }
}
