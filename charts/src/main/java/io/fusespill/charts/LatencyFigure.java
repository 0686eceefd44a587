package io.fusespill.charts;

import io.fusespill.charts.Sheet.LegendEntry;
import io.fusespill.charts.Sheet.Panel;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.Latency;
import java.awt.Graphics2D;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.XYPlot;

/// Distributions of TTFT, TPOT and E2E latency, a curve a run.
///
/// Marks stand at the median and the 90th and 99th percentile.
final class LatencyFigure {

  private static final double PANEL_POINTS = 92;
  private static final int POINTS = 201;
  private static final double[] MARKED = {50, 90, 99};

  private enum Measure {
    TTFT("Time to first token, s", 1e3, Latencies::ttft),
    TPOT("Time per output token, ms", 1, Latencies::tpot),
    E2E("End-to-end latency, s", 1e3, Latencies::e2e);

    final String label;
    final double millisPerUnit;
    final Function<Latencies, Latency> latency;

    Measure(String label, double millisPerUnit, Function<Latencies, Latency> latency) {
      this.label = label;
      this.millisPerUnit = millisPerUnit;
      this.latency = latency;
    }
  }

  /// A distribution by its percentiles.
  private static final class Curve {

    final int series;
    final double[] percentiles = new double[POINTS];
    final double[] values = new double[POINTS];

    Curve(int series, Latency latency, double millisPerUnit) {
      this.series = series;
      for (int i = 0; i < POINTS; i++) {
        percentiles[i] = 100.0 * i / (POINTS - 1);
        values[i] = latency.percentileMillis(percentiles[i]) / millisPerUnit;
      }
    }

    double at(double percentile) {
      return values[(int) Math.round(percentile * (POINTS - 1) / 100)];
    }
  }

  private LatencyFigure() {}

  /// @param runs at least one with a completed request
  static Figure of(List<RunData> runs) {
    List<List<Curve>> curves = new ArrayList<>();
    DataTable.Builder data =
        new DataTable.Builder("run", "latency", "percentile", "milliseconds", "count");
    for (Measure measure : Measure.values()) {
      List<Curve> some = new ArrayList<>();
      for (int run = 0; run < runs.size(); run++) {
        Latency latency = measure.latency.apply(runs.get(run).report().latencies());
        if (latency.count() == 0) {
          continue;
        }
        Curve curve = new Curve(run, latency, measure.millisPerUnit);
        some.add(curve);
        for (int i = 0; i < POINTS; i++) {
          data.row(
              runs.get(run).name(),
              measure.name().toLowerCase(java.util.Locale.ROOT),
              curve.percentiles[i],
              curve.values[i] * measure.millisPerUnit,
              latency.count());
        }
      }
      curves.add(some);
    }
    return new Figure(
        "latency",
        "Latency distributions" + (runs.size() == 1 ? " of " + runs.getFirst().name() : ""),
        RunData.source(runs),
        data.build(),
        style -> sheet(style, runs, curves));
  }

  private static Sheet sheet(Style style, List<RunData> runs, List<List<Curve>> curves) {
    Look look = new Look(style);
    List<LegendEntry> keys = new ArrayList<>();
    for (int run = 0; run < runs.size(); run++) {
      keys.add(new LegendEntry(runs.get(run).name(), look.lineSwatch(run, true)));
    }
    List<Panel> panels = new ArrayList<>();
    for (Measure measure : Measure.values()) {
      panels.add(panel(look, measure, curves.get(measure.ordinal())));
    }
    return Sheet.of(keys, style, style.wide() ? 1.35 * PANEL_POINTS : PANEL_POINTS, panels);
  }

  private static Panel panel(Look look, Measure measure, List<Curve> curves) {
    ValueAxis domain = domain(look, measure.label, curves);
    NumberAxis range = look.axis("Share, %");
    range.setRange(0, 102);
    range.setTickUnit(new NumberTickUnit(25));
    XYPlot plot = look.plot(domain, range);
    curves.forEach(curve -> Layer.add(plot, (g, scale) -> draw(g, scale, look, curve)));
    return Look.panel(plot);
  }

  /// Logarithmic where that spreads the middle nine tenths over more of the axis.
  private static ValueAxis domain(Look look, String label, List<Curve> curves) {
    double lowest = Double.MAX_VALUE;
    double highest = 0;
    double early = Double.MAX_VALUE;
    double late = 0;
    for (Curve curve : curves) {
      lowest = Math.min(lowest, curve.at(1));
      early = Math.min(early, curve.at(5));
      late = Math.max(late, curve.at(95));
      highest = Math.max(highest, curve.at(100));
    }
    boolean logarithmic =
        lowest > 0
            && Math.log(late / early) / Math.log(highest / lowest) > (late - early) / highest;
    ValueAxis axis = logarithmic ? look.decadeAxis(label) : look.axis(label);
    axis.setRange(
        logarithmic ? lowest / 1.05 : 0, Math.max(highest, 1e-3) * (logarithmic ? 1.1 : 1.04));
    return axis;
  }

  private static void draw(Graphics2D g, Layer.Scale scale, Look look, Curve curve) {
    g.setColor(look.color(curve.series));
    g.setStroke(Look.stroke(curve.series, Look.LINE));
    g.draw(scale.line(curve.values, curve.percentiles));
    for (double percentile : MARKED) {
      g.fill(
          Look.at(
              Look.mark(curve.series, 4.2), scale.x(curve.at(percentile)), scale.y(percentile)));
    }
  }
}
