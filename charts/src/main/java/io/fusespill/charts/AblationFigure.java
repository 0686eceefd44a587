package io.fusespill.charts;

import io.fusespill.charts.Facets.Mean;
import io.fusespill.charts.Results.Row;
import io.fusespill.charts.Sheet.LegendEntry;
import java.awt.BasicStroke;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.XYPlot;

/// What the whole loses or gains where a part is left out or replaced, a thin bar a platform.
final class AblationFigure {

  private static final double AXIS_POINTS = 28;
  private static final int FEWEST = 3;

  /// @param platform index of the platform
  private record Change(String part, int platform, Mean share) {}

  private AblationFigure() {}

  /// Whether one policy alone is the baseline of several others, and they are its variants.
  static boolean fits(Results results) {
    return wholes(results).size() == 1
        && results.values("policy").size() > FEWEST
        && results.values("policy_name").size() == 1;
  }

  private static List<String> wholes(Results results) {
    return results.rows().stream()
        .filter(row -> row.text("standing").equals("baseline"))
        .map(row -> row.text("policy"))
        .distinct()
        .toList();
  }

  static List<Figure> of(Results results, GridKind.Axes axes) {
    List<String> wholes = wholes(results);
    String whole = wholes.isEmpty() ? results.values("policy").getFirst() : wholes.getFirst();
    Quantity value = Quantity.throughput(results);
    return Facets.figures(
        results,
        "ablation",
        List.of("platform", "policy"),
        (name, facet, rows) ->
            figure(
                results,
                name,
                Facets.titled("What parts of %s are worth".formatted(whole), facet),
                whole,
                value,
                rows));
  }

  private static Figure figure(
      Results results, String name, String title, String whole, Quantity value, List<Row> rows) {
    List<String> platforms = rows.stream().map(row -> row.text("platform")).distinct().toList();
    List<String> parts =
        rows.stream()
            .map(row -> row.text("policy"))
            .distinct()
            .filter(part -> !part.equals(whole))
            .toList();
    Map<List<String>, List<Row>> cells = Facets.by(rows, List.of("platform", "policy"));
    List<Change> changes = new ArrayList<>();
    DataTable.Builder data =
        new DataTable.Builder("policy", "platform", "change_share", "change_share_spread", "seeds");
    for (String part : parts) {
      for (int platform = 0; platform < platforms.size(); platform++) {
        List<Row> with = cells.get(List.of(platforms.get(platform), whole));
        List<Row> without = cells.get(List.of(platforms.get(platform), part));
        if (with != null && without != null) {
          Mean share = GridFigures.gain(without, with, value);
          changes.add(new Change(part, platform, share));
          data.row(part, platforms.get(platform), share.value(), share.spread(), share.count());
        }
      }
    }
    return new Figure(
        name,
        title,
        results.source(),
        data.build(),
        style -> sheet(style, platforms, parts, changes));
  }

  private static Sheet sheet(
      Style style, List<String> platforms, List<String> parts, List<Change> changes) {
    Look look = new Look(style);
    List<LegendEntry> legend = new ArrayList<>();
    for (int i = 0; i < platforms.size(); i++) {
      legend.add(
          new LegendEntry(platforms.get(i), look.markSwatch(look.color(i), Look.mark(i, 4.5))));
    }
    double from = 0;
    double until = 0;
    for (Change change : changes) {
      from = Math.min(from, 100 * (change.share().value() - change.share().spread()));
      until = Math.max(until, 100 * (change.share().value() + change.share().spread()));
    }
    NumberAxis domain = look.axis("Change of output tokens/s, %");
    double margin = Math.max(0.4, 0.06 * (until - from));
    domain.setRange(from - margin, until + margin);
    XYPlot plot = look.plot(domain, new LaneAxis(look, parts));
    plot.setRangeGridlinesVisible(false);
    Layer.add(plot, (g, scale) -> draw(g, scale, look, parts, platforms.size(), changes));
    double lane = Math.max(9.5, 3.6 * platforms.size());
    return Sheet.of(
        platforms.size() > 1 ? legend : List.of(),
        parts.size() * lane + AXIS_POINTS,
        Look.panel(plot));
  }

  private static void draw(
      Graphics2D g,
      Layer.Scale scale,
      Look look,
      List<String> parts,
      int platforms,
      List<Change> changes) {
    for (int lane = 0; lane < parts.size(); lane += 2) {
      g.setColor(look.theme().tint(look.theme().ink(), 0.05));
      g.fill(
          scale.box(
              scale.domain().getLowerBound(),
              lane - 0.5,
              scale.domain().getUpperBound(),
              lane + 0.5));
    }
    g.setColor(look.theme().muted());
    g.setStroke(new BasicStroke(0.7f));
    double zero = scale.x(0);
    g.draw(new Line2D.Double(zero, scale.area().getY(), zero, scale.area().getMaxY()));
    double pitch = 0.8 / platforms;
    for (Change change : changes) {
      double y =
          scale.y(
              parts.indexOf(change.part()) + (change.platform() - (platforms - 1) / 2.0) * pitch);
      double x = scale.x(100 * change.share().value());
      g.setColor(look.color(change.platform()));
      g.setStroke(new BasicStroke(1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER));
      g.draw(new Line2D.Double(zero, y, x, y));
      g.setStroke(new BasicStroke(0.6f));
      double spread = 100 * change.share().spread();
      g.draw(
          new Line2D.Double(
              scale.x(100 * change.share().value() - spread),
              y,
              scale.x(100 * change.share().value() + spread),
              y));
      g.fill(Look.at(Look.mark(change.platform(), 3.6), x, y));
    }
  }
}
