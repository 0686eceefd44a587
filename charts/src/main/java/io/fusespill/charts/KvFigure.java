package io.fusespill.charts;

import io.fusespill.charts.Sheet.Band;
import io.fusespill.charts.Sheet.LegendEntry;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.replay.timeline.PoolUse;
import io.fusespill.replay.timeline.PoolUse.Mark;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.CombinedDomainXYPlot;
import org.jfree.chart.plot.XYPlot;

/// KV in use over a run's time, places stacked, above lanes of what moved sequences in and out.
///
/// A lane's tick is as strong as its bin's count is high, by the lane's own highest.
final class KvFigure {

  private static final double GIB = 1L << 30;
  private static final double NANOS = 1e9;
  private static final double AREA_POINTS = 105;
  private static final double LANE_POINTS = 9;
  private static final double AXIS_POINTS = 26;
  private static final double FAINTEST = 0.35;

  private KvFigure() {}

  /// @param name of the figure, which has one run
  static Figure of(String name, RunData run) {
    PoolUse pools = run.pools();
    List<Place> places = pools.places().stream().filter(place -> used(pools, place)).toList();
    List<String> columns = new ArrayList<>(List.of("from_seconds", "until_seconds"));
    for (Place place : places) {
      columns.add("place_%d_%s_mean_blocks".formatted(place.id(), place.name()));
      columns.add("place_%d_%s_peak_blocks".formatted(place.id(), place.name()));
    }
    for (Mark mark : Mark.values()) {
      columns.add(mark.name().toLowerCase(Locale.ROOT) + "_sequences");
    }
    List<List<Object>> rows = new ArrayList<>();
    for (int bin = 0; bin < pools.bins(); bin++) {
      List<Object> row = new ArrayList<>();
      row.add(pools.binFromNanos(bin) / NANOS);
      row.add(pools.binUntilNanos(bin) / NANOS);
      for (Place place : places) {
        row.add(pools.meanBlocks(place.id(), bin));
        row.add(pools.peakBlocks(place.id(), bin));
      }
      for (Mark mark : Mark.values()) {
        row.add(pools.marks(mark, bin));
      }
      rows.add(row);
    }
    return new Figure(
        name,
        "KV in use by place, " + run.name(),
        run.source(),
        new DataTable(columns, rows),
        style -> new Drawing(style, pools, places).sheet());
  }

  private static boolean used(PoolUse pools, Place place) {
    boolean used = place.computes();
    for (int bin = 0; bin < pools.bins() && !used; bin++) {
      used = pools.peakBlocks(place.id(), bin) > 0;
    }
    return used;
  }

  static String label(Mark mark) {
    return switch (mark) {
      case ADMITTED -> "admitted";
      case RECOMPUTE -> "dropped";
      case SWAP -> "swapped";
      case OFFLOAD -> "offloaded";
      case SPILL -> "to disk";
      case BACK -> "back";
    };
  }

  /// The colour of a place: of devices, hosts and disks each their own, the later ones lighter.
  static Color color(Look look, List<Place> places, Place place) {
    long before =
        places.stream()
            .filter(other -> other.kind() == place.kind() && other.id() < place.id())
            .count();
    Color color =
        switch (place.kind()) {
          case DEVICE -> look.theme() == Theme.LIGHT ? look.color(0) : new Color(0x3d8fd1);
          case HOST -> look.theme() == Theme.LIGHT ? look.color(5) : look.color(5);
          case DISK -> look.color(3);
        };
    return look.theme().tint(color, Math.max(0.35, 1 - 0.3 * before));
  }

  private static final class Drawing {

    private final Look look;
    private final PoolUse pools;
    private final List<Place> places;
    private final int step;

    Drawing(Style style, PoolUse pools, List<Place> places) {
      this.look = new Look(style);
      this.pools = pools;
      this.places = places;
      // No finer than half a point.
      this.step = Math.max(1, (int) Math.ceil(pools.bins() / (2 * style.points())));
    }

    Sheet sheet() {
      List<LegendEntry> keys = new ArrayList<>();
      for (Place place : places) {
        keys.add(
            new LegendEntry(
                place.name(), look.fillSwatch(color(look, places, place), hatch(place))));
      }
      keys.add(
          new LegendEntry(
              "device memory",
              (g, box) -> {
                g.setColor(look.theme().ink());
                g.setStroke(Look.stroke(1, 0.8f));
                g.draw(
                    new Line2D.Double(
                        box.getX(), box.getCenterY(), box.getMaxX(), box.getCenterY()));
              }));
      List<Mark> marks = new ArrayList<>();
      for (Mark mark : Mark.values()) {
        if (highest(mark) > 0) {
          marks.add(mark);
        }
      }
      double from = pools.bins() == 0 ? 0 : pools.binFromNanos(0) / NANOS;
      double until = pools.bins() == 0 ? 1 : pools.binUntilNanos(pools.bins() - 1) / NANOS;
      CombinedDomainXYPlot both = new CombinedDomainXYPlot(look.timeAxis(from, until));
      look.dress(both);
      both.setGap(3);
      both.add(area(), (int) AREA_POINTS);
      double lanes = marks.size() * LANE_POINTS;
      if (!marks.isEmpty()) {
        both.add(lanes(marks), (int) lanes);
      }
      return new Sheet(
          keys, List.of(new Band(AREA_POINTS + lanes + AXIS_POINTS, List.of(Look.panel(both)))));
    }

    private static Hatch hatch(Place place) {
      return place.kind() == PlaceKind.DISK ? Hatch.RISING : Hatch.SOLID;
    }

    private double gib(Place place, int bin) {
      return pools.meanBlocks(place.id(), bin) * pools.blockBytes() / GIB;
    }

    private XYPlot area() {
      double most = 0;
      double memory = 0;
      for (Place place : places) {
        memory += place.computes() ? place.blocks() * (double) pools.blockBytes() / GIB : 0;
      }
      for (int bin = 0; bin < pools.bins(); bin++) {
        double sum = 0;
        for (Place place : places) {
          sum += gib(place, bin);
        }
        most = Math.max(most, sum);
      }
      NumberAxis range = look.zeroAxis("KV in use, GiB");
      range.setRange(0, Math.max(most, memory) * 1.06);
      XYPlot plot = look.plot(null, range);
      double[] floor = new double[(pools.bins() + step - 1) / step];
      for (Place place : places) {
        double[] below = floor.clone();
        for (int i = 0; i < floor.length; i++) {
          floor[i] += mean(place, i);
        }
        double[] above = floor.clone();
        Layer.add(plot, (g, scale) -> fill(g, scale, place, below, above));
      }
      double line = memory;
      Layer.add(
          plot,
          (g, scale) -> {
            g.setColor(look.theme().ink());
            g.setStroke(Look.stroke(1, 0.8f));
            g.draw(
                new Line2D.Double(
                    scale.area().getX(), scale.y(line), scale.area().getMaxX(), scale.y(line)));
          });
      return plot;
    }

    /// Mean over `step` bins.
    private double mean(Place place, int i) {
      double sum = 0;
      double nanos = 0;
      for (int bin = i * step; bin < Math.min(pools.bins(), (i + 1) * step); bin++) {
        double width = pools.binUntilNanos(bin) - pools.binFromNanos(bin);
        sum += gib(place, bin) * width;
        nanos += width;
      }
      return sum / nanos;
    }

    private double fromSeconds(int i) {
      return pools.binFromNanos(i * step) / NANOS;
    }

    private double untilSeconds(int i) {
      return pools.binUntilNanos(Math.min(pools.bins(), (i + 1) * step) - 1) / NANOS;
    }

    private void fill(
        Graphics2D g, Layer.Scale scale, Place place, double[] below, double[] above) {
      if (above.length == 0) {
        return;
      }
      Path2D path = new Path2D.Double();
      path.moveTo(scale.x(fromSeconds(0)), scale.y(above[0]));
      for (int i = 0; i < above.length; i++) {
        path.lineTo(scale.x(fromSeconds(i)), scale.y(above[i]));
        path.lineTo(scale.x(untilSeconds(i)), scale.y(above[i]));
      }
      for (int i = above.length - 1; i >= 0; i--) {
        path.lineTo(scale.x(untilSeconds(i)), scale.y(below[i]));
        path.lineTo(scale.x(fromSeconds(i)), scale.y(below[i]));
      }
      path.closePath();
      g.setColor(color(look, places, place));
      g.fill(path);
    }

    private long highest(Mark mark) {
      long highest = 0;
      for (int bin = 0; bin < pools.bins(); bin++) {
        highest = Math.max(highest, pools.marks(mark, bin));
      }
      return highest;
    }

    private long count(Mark mark, int i) {
      long count = 0;
      for (int bin = i * step; bin < Math.min(pools.bins(), (i + 1) * step); bin++) {
        count += pools.marks(mark, bin);
      }
      return count;
    }

    private XYPlot lanes(List<Mark> marks) {
      LaneAxis range = new LaneAxis(look, marks.stream().map(KvFigure::label).toList());
      XYPlot plot = look.plot(null, range);
      plot.setRangeGridlinesVisible(false);
      Layer.add(
          plot,
          (g, scale) -> {
            for (int lane = 0; lane < marks.size(); lane++) {
              draw(g, scale, marks.get(lane), lane);
            }
          });
      return plot;
    }

    private void draw(Graphics2D g, Layer.Scale scale, Mark mark, int lane) {
      int points = (pools.bins() + step - 1) / step;
      long highest = 1;
      for (int i = 0; i < points; i++) {
        highest = Math.max(highest, count(mark, i));
      }
      for (int i = 0; i < points; i++) {
        long count = count(mark, i);
        if (count > 0) {
          double share = FAINTEST + (1 - FAINTEST) * Math.sqrt((double) count / highest);
          Rectangle2D box = scale.box(fromSeconds(i), lane - 0.38, untilSeconds(i), lane + 0.38);
          g.setColor(look.theme().tint(look.theme().ink(), share));
          g.setStroke(new BasicStroke(Look.THIN));
          g.fill(
              new Rectangle2D.Double(
                  box.getX(), box.getY(), Math.max(0.5, box.getWidth()), box.getHeight()));
        }
      }
    }
  }
}
