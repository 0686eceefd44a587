package io.fusespill.charts;

import io.fusespill.charts.Sheet.LegendEntry;
import io.fusespill.replay.timeline.BusyTimes;
import io.fusespill.replay.timeline.BusyTimes.Busy;
import io.fusespill.replay.timeline.BusyTimes.Work;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jfree.chart.axis.AxisLocation;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.XYPlot;

/// When each device, attending host and link was at work, a lane each.
///
/// A lane with few times at work shows each; a dense one shows what share of each moment went to
/// which work, stacked; one that never has much is enlarged, and says by how much.
final class UtilisationFigure {

  private static final double NANOS = 1e9;
  private static final double LANE_POINTS = 15;
  private static final double AXIS_POINTS = 28;
  private static final double HEIGHT = 0.86;
  private static final int SINGLE_MAX = 250;
  private static final double ENLARGED_BELOW = 0.3;

  /// One lane, its index among those of the run.
  private record Row(int lane, String name, String share, List<Busy> times) {

    boolean single() {
      return !times.isEmpty() && times.size() <= SINGLE_MAX;
    }
  }

  private UtilisationFigure() {}

  static Figure of(String name, RunData run) {
    BusyTimes busy = run.busy();
    List<Row> rows = new ArrayList<>();
    DataTable.Builder data =
        new DataTable.Builder("lane", "work", "from_seconds", "until_seconds", "share");
    double span = busy.bins() == 0 ? 1 : busy.binUntilNanos(busy.bins() - 1) - busy.binFromNanos(0);
    for (int lane = 0; lane < busy.lanes().size(); lane++) {
      double total = 0;
      for (Work work : Work.values()) {
        total += busy.busyNanos(lane, work);
      }
      if (total > 0) {
        String label = busy.lanes().get(lane).name();
        String share = String.format(Locale.ROOT, "%.1f%%", 100 * Math.min(1, total / span));
        Row row = new Row(lane, label, share, busy.times(lane));
        rows.add(row);
        fill(data, busy, row, label);
      }
    }
    return new Figure(
        name,
        "Time at work, " + run.name(),
        run.source(),
        data.build(),
        style -> new Drawing(style, busy, rows).sheet());
  }

  private static void fill(DataTable.Builder data, BusyTimes busy, Row row, String label) {
    if (row.single()) {
      for (Busy time : row.times()) {
        data.row(
            label, name(time.work()), time.fromNanos() / NANOS, time.untilNanos() / NANOS, 1.0);
      }
      return;
    }
    for (int bin = 0; bin < busy.bins(); bin++) {
      for (Work work : Work.values()) {
        double share = busy.share(row.lane(), work, bin);
        if (share > 0) {
          data.row(
              label,
              name(work),
              busy.binFromNanos(bin) / NANOS,
              busy.binUntilNanos(bin) / NANOS,
              share);
        }
      }
    }
  }

  private static String name(Work work) {
    return work.name().toLowerCase(Locale.ROOT);
  }

  private static String label(Work work) {
    return switch (work) {
      case PREFILL -> "prefill";
      case DECODE -> "decode";
      case MIXED -> "prefill and decode";
      case COPY -> "copies alone";
      case ATTENTION -> "attention for a device";
      case TRANSFER -> "transfer";
      case FAILED -> "failed";
    };
  }

  private static Color color(Look look, Work work) {
    boolean light = look.theme() == Theme.LIGHT;
    return switch (work) {
      case DECODE -> light ? look.color(0) : new Color(0x3d8fd1);
      case MIXED -> look.color(4);
      case PREFILL -> look.color(5);
      case COPY -> look.theme().muted();
      case ATTENTION -> look.color(2);
      case TRANSFER -> look.color(3);
      case FAILED -> look.color(1);
    };
  }

  private static final class Drawing {

    private final Look look;
    private final BusyTimes busy;
    private final List<Row> rows;
    private final Steps steps;

    Drawing(Style style, BusyTimes busy, List<Row> rows) {
      this.look = new Look(style);
      this.busy = busy;
      this.rows = rows;
      this.steps = new Steps(new BusyBins(busy), style);
    }

    Sheet sheet() {
      List<LegendEntry> legend = new ArrayList<>();
      for (Work work : Work.values()) {
        if (rows.stream().anyMatch(row -> busy.busyNanos(row.lane(), work) > 0)) {
          legend.add(new LegendEntry(label(work), look.fillSwatch(color(look, work), Hatch.SOLID)));
        }
      }
      NumberAxis domain =
          look.timeAxis(steps.fromSeconds(0), steps.untilSeconds(steps.count() - 1));
      XYPlot plot =
          look.plot(
              domain,
              new LaneAxis(look, rows.stream().map(row -> look.shortened(row.name())).toList()));
      plot.setRangeGridlinesVisible(false);
      LaneAxis shares = new LaneAxis(look, rows.stream().map(this::share).toList());
      shares.setAxisLineVisible(false);
      plot.setRangeAxis(1, shares);
      plot.setRangeAxisLocation(1, AxisLocation.BOTTOM_OR_RIGHT);
      Layer.add(
          plot,
          (g, scale) -> {
            for (int i = 0; i < rows.size(); i++) {
              draw(g, scale, rows.get(i), i);
            }
          });
      return Sheet.of(legend, rows.size() * LANE_POINTS + AXIS_POINTS, Look.panel(plot));
    }

    /// The lane's share of the whole time, and what its height stands for if that is less than all.
    private String share(Row row) {
      double full = full(row);
      return full == 1
          ? row.share()
          : row.share() + String.format(Locale.ROOT, " (top %.0f%%)", 100 * full);
    }

    /// Share of a moment that fills the height of a dense lane: a lane that never has much shows it
    /// enlarged.
    private double full(Row row) {
      if (row.single()) {
        return 1;
      }
      double[] sum = new double[steps.count()];
      for (Work work : Work.values()) {
        double[] share = steps.means(bin -> busy.share(row.lane(), work, bin));
        for (int i = 0; i < sum.length; i++) {
          sum[i] += share[i];
        }
      }
      double most = Arrays.stream(sum).max().orElse(0);
      return most > ENLARGED_BELOW ? 1 : Math.ceil(100 * most) / 100;
    }

    private void draw(Graphics2D g, Layer.Scale scale, Row row, int lane) {
      double floor = lane + HEIGHT / 2;
      g.setColor(look.theme().tint(look.theme().ink(), 0.06));
      g.fill(
          scale.box(
              steps.fromSeconds(0), floor, steps.untilSeconds(steps.count() - 1), floor - HEIGHT));
      if (row.single()) {
        for (Busy time : row.times()) {
          Rectangle2D box =
              scale.box(time.fromNanos() / NANOS, floor, time.untilNanos() / NANOS, floor - HEIGHT);
          g.setColor(color(look, time.work()));
          g.fill(
              new Rectangle2D.Double(
                  box.getX(), box.getY(), Math.max(0.4, box.getWidth()), box.getHeight()));
        }
        return;
      }
      double[] top = new double[steps.count()];
      Arrays.fill(top, floor);
      double full = full(row);
      for (Work work : Work.values()) {
        double[] share = steps.means(bin -> busy.share(row.lane(), work, bin));
        double[] below = top.clone();
        for (int i = 0; i < top.length; i++) {
          top[i] = Math.max(floor - HEIGHT, top[i] - HEIGHT * share[i] / full);
        }
        if (busy.busyNanos(row.lane(), work) > 0) {
          g.setColor(color(look, work));
          g.fill(steps.between(scale, below, top.clone()));
        }
      }
    }
  }

  private record BusyBins(BusyTimes busy) implements Steps.Bins {

    @Override
    public int count() {
      return busy.bins();
    }

    @Override
    public long fromNanos(int bin) {
      return busy.binFromNanos(bin);
    }

    @Override
    public long untilNanos(int bin) {
      return busy.binUntilNanos(bin);
    }
  }
}
