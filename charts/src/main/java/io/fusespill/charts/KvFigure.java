package io.fusespill.charts;

import io.fusespill.charts.Sheet.Band;
import io.fusespill.charts.Sheet.LegendEntry;
import io.fusespill.engine.config.Place;
import io.fusespill.replay.timeline.PoolUse;
import io.fusespill.replay.timeline.PoolUse.Mark;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.CombinedDomainXYPlot;
import org.jfree.chart.plot.XYPlot;

/// KV in use over a run's time, places stacked, above lanes of what moved sequences in and out.
///
/// A lane's tick is as strong as its bin's count is high, by the lane's own highest.
final class KvFigure {

  private static final double NANOS = 1e9;
  private static final double AREA_POINTS = 105;
  private static final double LANE_POINTS = 9;

  /// A plot that is lower is not drawn.
  private static final double LANES_POINTS_MIN = 12;

  private static final double AXIS_POINTS = 26;
  private static final double FAINTEST = 0.35;

  private record Shade(double share, Hatch hatch) {}

  /// Those of few places differ most.
  private static final List<Shade> SHADES =
      List.of(
          new Shade(1, Hatch.SOLID),
          new Shade(0.55, Hatch.SOLID),
          new Shade(1, Hatch.FALLING),
          new Shade(0.22, Hatch.SOLID),
          new Shade(1, Hatch.CROSSED),
          new Shade(0.6, Hatch.FALLING),
          new Shade(0.6, Hatch.CROSSED),
          new Shade(0.6, Hatch.RISING));

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

  /// What bytes are counted in, largest first.
  enum Unit {
    GIB("GiB", 1L << 30),
    MIB("MiB", 1L << 20),
    KIB("KiB", 1L << 10);

    final String label;
    final double bytes;

    Unit(String label, double bytes) {
      this.label = label;
      this.bytes = bytes;
    }

    /// The largest of which there is one or more.
    static Unit of(double bytes) {
      return Arrays.stream(values()).filter(unit -> bytes >= unit.bytes).findFirst().orElse(KIB);
    }
  }

  /// How what is in a place is filled.
  record Fill(Color color, Hatch hatch) {

    void fill(Graphics2D g, Shape area, Theme theme) {
      hatch.fill(g, area, color, theme);
    }
  }

  /// The fill of a place: devices, hosts and disks have a colour each, and of one kind up to eight
  /// differ in shade or lines.
  static Fill fill(Look look, List<Place> places, Place place) {
    long before =
        places.stream()
            .filter(other -> other.kind() == place.kind() && other.id() < place.id())
            .count();
    Color color =
        switch (place.kind()) {
          case DEVICE -> look.theme() == Theme.LIGHT ? look.color(0) : new Color(0x3d8fd1);
          case HOST -> look.color(5);
          case DISK -> look.color(3);
        };
    Shade shade = SHADES.get((int) (before % SHADES.size()));
    return new Fill(look.theme().tint(color, shade.share()), shade.hatch());
  }

  private static final class Drawing {

    private final Look look;
    private final PoolUse pools;
    private final List<Place> places;
    private final Steps steps;

    Drawing(Style style, PoolUse pools, List<Place> places) {
      this.look = new Look(style);
      this.pools = pools;
      this.places = places;
      this.steps = new Steps(new PoolBins(pools), style);
    }

    Sheet sheet() {
      List<LegendEntry> keys = new ArrayList<>();
      for (Place place : places) {
        Fill fill = fill(look, places, place);
        keys.add(new LegendEntry(place.name(), look.fillSwatch(fill.color(), fill.hatch())));
      }
      keys.add(new LegendEntry("device memory", look.ruleSwatch()));
      List<Mark> marks = new ArrayList<>();
      for (Mark mark : Mark.values()) {
        if (highest(steps.sums(bin -> (double) pools.marks(mark, bin))) > 0) {
          marks.add(mark);
        }
      }
      CombinedDomainXYPlot both =
          new CombinedDomainXYPlot(
              look.timeAxis(steps.fromSeconds(0), steps.untilSeconds(steps.count() - 1)));
      look.dress(both);
      both.setGap(3);
      both.add(area(), (int) AREA_POINTS);
      double lanes = marks.isEmpty() ? 0 : Math.max(LANES_POINTS_MIN, marks.size() * LANE_POINTS);
      if (!marks.isEmpty()) {
        both.add(lanes(marks), (int) lanes);
      }
      return new Sheet(
          keys, List.of(new Band(AREA_POINTS + lanes + AXIS_POINTS, List.of(Look.panel(both)))));
    }

    private XYPlot area() {
      double memoryBlocks = 0;
      for (Place place : places) {
        memoryBlocks += place.computes() ? place.blocks() : 0;
      }
      double[] usedBlocks =
          steps.means(
              bin -> places.stream().mapToDouble(place -> pools.meanBlocks(place.id(), bin)).sum());
      double mostBlocks = Math.max(highest(usedBlocks), memoryBlocks);
      Unit unit = Unit.of(mostBlocks * pools.blockBytes());
      double perBlock = pools.blockBytes() / unit.bytes;
      NumberAxis range = look.zeroAxis("KV in use, " + unit.label);
      XYPlot plot = look.plot(null, range);
      double[] floor = new double[steps.count()];
      for (Place place : places) {
        double[] held = steps.means(bin -> pools.meanBlocks(place.id(), bin) * perBlock);
        double[] below = floor.clone();
        for (int i = 0; i < floor.length; i++) {
          floor[i] += held[i];
        }
        double[] above = floor.clone();
        Layer.add(
            plot,
            (g, scale) ->
                fill(look, places, place)
                    .fill(g, steps.between(scale, below, above), look.theme()));
      }
      range.setRange(0, mostBlocks * perBlock * 1.06);
      double line = memoryBlocks * perBlock;
      Layer.add(plot, (g, scale) -> look.rule(g, scale, line));
      return plot;
    }

    private static double highest(double[] values) {
      return Arrays.stream(values).max().orElse(0);
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
      double[] counts = steps.sums(bin -> (double) pools.marks(mark, bin));
      double highest = highest(counts);
      for (int i = 0; i < counts.length; i++) {
        if (counts[i] > 0) {
          double share = FAINTEST + (1 - FAINTEST) * Math.sqrt(counts[i] / highest);
          Rectangle2D box =
              scale.box(steps.fromSeconds(i), lane - 0.38, steps.untilSeconds(i), lane + 0.38);
          g.setColor(look.theme().tint(look.theme().ink(), share));
          g.fill(
              new Rectangle2D.Double(
                  box.getX(), box.getY(), Math.max(0.5, box.getWidth()), box.getHeight()));
        }
      }
    }
  }

  private record PoolBins(PoolUse pools) implements Steps.Bins {

    @Override
    public int count() {
      return pools.bins();
    }

    @Override
    public long fromNanos(int bin) {
      return pools.binFromNanos(bin);
    }

    @Override
    public long untilNanos(int bin) {
      return pools.binUntilNanos(bin);
    }
  }
}
