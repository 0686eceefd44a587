package io.fusespill.charts;

import io.fusespill.charts.Sheet.LegendEntry;
import io.fusespill.replay.explain.Wording;
import io.fusespill.replay.timeline.Pair;
import io.fusespill.replay.timeline.Pairs;
import io.fusespill.replay.timeline.RemainingLengths;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.jfree.chart.plot.XYPlot;

/// What was predicted against what came, as hexagons on logarithmic axes: the darker, the more.
///
/// On the dashed line a prediction is right.
final class PredictionFigure {

  private static final double PANEL_POINTS = 165;
  private static final double RADIUS = 2.6;
  private static final int SHADES = 4;

  private PredictionFigure() {}

  /// Of the step times that the policy estimates.
  static Figure stepTime(String name, RunData run) {
    return of(
        name,
        "Step time, estimated and actual, " + run.name(),
        run,
        run.stepTimes().pairs(),
        "",
        1e6,
        "step time, ms",
        "ms");
  }

  /// Of the length predictor's median.
  static Figure remaining(String name, RunData run) {
    String predictor =
        run.remaining().predictor().map(kind -> " (" + kind.label() + ")").orElse("");
    return of(
        name,
        "Remaining output, predicted%s and actual, %s".formatted(predictor, run.name()),
        run,
        run.remaining().pairs(),
        " of each %dnd step".formatted(RemainingLengths.STEPS_BETWEEN_SAMPLES),
        1,
        "remaining output, tokens",
        "tokens");
  }

  /// @param sampled what the pairs are of, if not of all there is
  private static Figure of(
      String name,
      String title,
      RunData run,
      Pairs pairs,
      String sampled,
      double perUnit,
      String quantity,
      String unit) {
    DataTable.Builder data = new DataTable.Builder("predicted_" + unit, "actual_" + unit);
    List<Pair> shown = new ArrayList<>();
    for (Pair pair : pairs.kept()) {
      Pair scaled = new Pair(pair.predicted() / perUnit, pair.actual() / perUnit);
      data.row(scaled.predicted(), scaled.actual());
      if (scaled.predicted() > 0) {
        shown.add(scaled);
      }
    }
    String errors =
        String.format(
            Locale.ROOT,
            "%s%s: mean error %s %s, bias %s, %.1f%% within a tenth, %.1f%% within a factor of 2",
            Wording.count(pairs.count(), "pair"),
            sampled,
            number(pairs.meanError() / perUnit),
            unit,
            ThroughputFigure.percent(pairs.bias()),
            100 * pairs.withinTenth(),
            100 * pairs.withinDouble());
    Source source = run.source();
    return new Figure(
        name,
        title,
        new Source(errors + ". " + source.text(), source.origins()),
        data.build(),
        style -> sheet(new Look(style), shown, quantity));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%,.1f", value);
  }

  private static Sheet sheet(Look look, List<Pair> pairs, String quantity) {
    double lowest = Double.MAX_VALUE;
    double highest = 0;
    for (Pair pair : pairs) {
      lowest = Math.min(lowest, Math.min(pair.predicted(), pair.actual()));
      highest = Math.max(highest, Math.max(pair.predicted(), pair.actual()));
    }
    double from = lowest / 1.15;
    double until = highest * 1.15;
    DecadeAxis domain = look.decadeAxis("Actual " + quantity);
    DecadeAxis range = look.decadeAxis("Predicted " + quantity);
    domain.setRange(from, until);
    range.setRange(from, until);
    XYPlot plot = look.plot(domain, range);
    Layer.add(plot, (g, scale) -> draw(g, scale, look, pairs));
    Layer.add(
        plot,
        (g, scale) -> {
          Line2D line =
              new Line2D.Double(scale.x(from), scale.y(from), scale.x(until), scale.y(until));
          g.setColor(look.theme().background());
          g.setStroke(new BasicStroke(2.2f));
          g.draw(line);
          g.setColor(look.theme().ink());
          g.setStroke(Look.stroke(1, 0.8f));
          g.draw(line);
        });
    List<LegendEntry> legend = new ArrayList<>();
    legend.add(new LegendEntry("as predicted", look.ruleSwatch()));
    String[] labels = {"1 pair", "2 to 4", "5 to 19", "20 or more"};
    for (int shade = 0; shade < SHADES; shade++) {
      Color color = color(look, shade);
      legend.add(
          new LegendEntry(
              labels[shade],
              (g, box) -> {
                g.setColor(color);
                g.fill(hexagon(box.getCenterX(), box.getCenterY(), 3.4));
              }));
    }
    return Sheet.of(legend, PANEL_POINTS, Look.panel(plot));
  }

  private static Color color(Look look, int shade) {
    return look.theme()
        .tint(
            Theme.mix(
                look.color(4),
                look.theme() == Theme.LIGHT ? new Color(0x00365c) : Color.WHITE,
                shade / (SHADES - 1.0)),
            0.55 + 0.15 * shade);
  }

  private static int shade(int count) {
    return count >= 20 ? 3 : count >= 5 ? 2 : count >= 2 ? 1 : 0;
  }

  private static void draw(Graphics2D g, Layer.Scale scale, Look look, List<Pair> pairs) {
    double dx = Math.sqrt(3) * RADIUS;
    double dy = 1.5 * RADIUS;
    TreeMap<Long, Integer> counts = new TreeMap<>();
    for (Pair pair : pairs) {
      counts.merge(
          cell(scale.x(pair.actual()), scale.y(pair.predicted()), dx, dy), 1, Integer::sum);
    }
    counts.forEach((cell, count) -> {
      int row = (int) (cell >> 32);
      int column = (int) (long) cell;
      g.setColor(color(look, shade(count)));
      g.fill(hexagon((column + (row % 2 == 0 ? 0 : 0.5)) * dx, row * dy, RADIUS));
    });
  }

  /// The hexagon whose centre is nearest, as row and column in one number.
  private static long cell(double x, double y, double dx, double dy) {
    long best = 0;
    double nearest = Double.MAX_VALUE;
    int middle = (int) Math.round(y / dy);
    for (int row = middle - 1; row <= middle + 1; row++) {
      double shift = row % 2 == 0 ? 0 : 0.5;
      int column = (int) Math.round(x / dx - shift);
      double away = Math.hypot((column + shift) * dx - x, row * dy - y);
      if (away < nearest) {
        nearest = away;
        best = ((long) row << 32) | column;
      }
    }
    return best;
  }

  private static Path2D hexagon(double x, double y, double radius) {
    Path2D path = new Path2D.Double();
    for (int corner = 0; corner < 6; corner++) {
      double angle = Math.PI / 6 + corner * Math.PI / 3;
      double cx = x + radius * StrictMath.cos(angle);
      double cy = y + radius * StrictMath.sin(angle);
      if (corner == 0) {
        path.moveTo(cx, cy);
      } else {
        path.lineTo(cx, cy);
      }
    }
    path.closePath();
    return path;
  }
}
