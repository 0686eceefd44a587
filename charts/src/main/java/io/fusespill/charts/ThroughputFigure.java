package io.fusespill.charts;

import io.fusespill.charts.Sheet.Band;
import io.fusespill.charts.Sheet.LegendEntry;
import io.fusespill.charts.Sheet.Panel;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.XYPlot;

/// Output tokens a second by policy, with gains over the best baseline.
final class ThroughputFigure {

  private static final double BAR_POINTS = 11;
  private static final double AXIS_POINTS = 27;
  private static final double HEAD_POINTS = 10;
  private static final double LABEL_GAP = 3;
  private static final double SIDES = 24;

  /// What a bar is in the comparison.
  enum Part {
    BASELINE("baseline", Hatch.HOLLOW),
    CONTENDER("compared", Hatch.SOLID),
    BOUND("bound: has what nobody has", Hatch.RISING);

    final String label;
    final Hatch hatch;

    Part(String label, Hatch hatch) {
      this.label = label;
      this.hatch = hatch;
    }
  }

  /// @param group what it is compared within; empty if there is one group
  /// @param spread standard deviation over seeds, 0 for one seed
  /// @param gain over the group's best baseline, a share; NaN where there is none
  /// @param significant whether the gain is more than its deviation
  record Bar(
      String group,
      String label,
      Part part,
      double tokensPerSecond,
      double spread,
      double gain,
      boolean significant) {

    String text() {
      String value = HeatMapFigure.number(tokensPerSecond);
      if (Double.isNaN(gain)) {
        return value;
      }
      return "%s  %s%s".formatted(value, significant ? "" : "~", percent(gain));
    }
  }

  /// With its sign, and no minus before a zero.
  static String percent(double share) {
    String text = String.format(Locale.ROOT, "%+.1f%%", 100 * share).replace('-', '−');
    return text.equals("−0.0%") ? "+0.0%" : text;
  }

  private ThroughputFigure() {}

  /// The first run is the baseline.
  static Figure of(List<RunData> runs) {
    List<Bar> bars = new ArrayList<>();
    double base = 0;
    for (RunData run : runs) {
      double rate = run.report().perSecond((double) run.report().metrics().outputTokens());
      boolean first = bars.isEmpty();
      base = first ? rate : base;
      bars.add(
          new Bar(
              "",
              run.name(),
              first && runs.size() > 1 ? Part.BASELINE : Part.CONTENDER,
              rate,
              0,
              first || base == 0 ? Double.NaN : rate / base - 1,
              true));
    }
    String title =
        runs.size() == 1
            ? "Throughput of " + runs.getFirst().name()
            : "Throughput, and gain over " + runs.getFirst().name();
    return of("throughput", title, RunData.source(runs), bars);
  }

  static Figure of(String name, String title, Source source, List<Bar> bars) {
    DataTable.Builder data =
        new DataTable.Builder(
            "group",
            "policy",
            "part",
            "output_tokens_per_second",
            "output_tokens_per_second_spread",
            "gain_share");
    Map<String, List<Bar>> groups = new LinkedHashMap<>();
    for (Bar bar : bars) {
      groups.computeIfAbsent(bar.group(), group -> new ArrayList<>()).add(bar);
      data.row(
          bar.group(),
          bar.label(),
          bar.part().name().toLowerCase(Locale.ROOT),
          bar.tokensPerSecond(),
          bar.spread(),
          bar.gain());
    }
    return new Figure(name, title, source, data.build(), style -> sheet(style, groups));
  }

  private static Sheet sheet(Style style, Map<String, List<Bar>> groups) {
    Look look = new Look(style);
    List<LegendEntry> keys = new ArrayList<>();
    for (Part part : Part.values()) {
      boolean there =
          groups.values().stream().flatMap(List::stream).anyMatch(bar -> bar.part() == part);
      if (there) {
        keys.add(new LegendEntry(part.label, look.fillSwatch(color(look, part), part.hatch)));
      }
    }
    double names =
        groups.values().stream()
            .flatMap(List::stream)
            .mapToDouble(
                bar -> Fonts.width(look.shortened(bar.label()), Fonts.regular(Fonts.SMALL)))
            .max()
            .orElse(0);
    List<Band> bands = new ArrayList<>();
    groups.forEach((group, bars) -> {
      Panel panel = Look.panel(plot(style, look, bars, names));
      double points = bars.size() * BAR_POINTS + AXIS_POINTS;
      bands.add(
          group.isEmpty()
              ? new Band(points, List.of(panel))
              : new Band(points + HEAD_POINTS, List.of(look.titled(group, panel))));
    });
    return new Sheet(keys.size() > 1 ? keys : List.of(), bands);
  }

  private static Color color(Look look, Part part) {
    return part == Part.CONTENDER ? look.color(0) : look.theme().muted();
  }

  private static XYPlot plot(Style style, Look look, List<Bar> bars, double names) {
    double most =
        bars.stream().mapToDouble(bar -> bar.tokensPerSecond() + bar.spread()).max().orElse(0);
    double text =
        bars.stream()
            .mapToDouble(bar -> Fonts.width(bar.text(), Fonts.regular(Fonts.SMALL)))
            .max()
            .orElse(0);
    double room = style.points() - names - SIDES;
    NumberAxis domain = look.zeroAxis("Output tokens/s");
    domain.setRange(
        0, (most == 0 ? 1 : most) * room / Math.max(room / 3, room - text - 2 * LABEL_GAP));
    LaneAxis range =
        new LaneAxis(look, bars.stream().map(bar -> look.shortened(bar.label())).toList());
    XYPlot plot = look.plot(domain, range);
    plot.setRangeGridlinesVisible(false);
    Layer.add(
        plot,
        (g, scale) -> {
          for (int i = 0; i < bars.size(); i++) {
            draw(g, scale, look, bars.get(i), i);
          }
        });
    return plot;
  }

  private static void draw(Graphics2D g, Layer.Scale scale, Look look, Bar bar, int row) {
    Rectangle2D box = scale.box(0, row - 0.36, bar.tokensPerSecond(), row + 0.36);
    bar.part().hatch.fill(g, box, color(look, bar.part()), look.theme());
    double end = box.getMaxX();
    if (bar.spread() > 0) {
      double from = scale.x(bar.tokensPerSecond() - bar.spread());
      double until = scale.x(bar.tokensPerSecond() + bar.spread());
      g.setColor(look.theme().ink());
      g.setStroke(new BasicStroke(0.7f));
      g.draw(new Line2D.Double(from, box.getCenterY(), until, box.getCenterY()));
      end = Math.max(end, until);
    }
    Look.text(g, bar.text(), end + LABEL_GAP, box.getCenterY() + 2.5, look.theme().ink(), false);
  }
}
