package io.fusespill.charts;

import io.fusespill.charts.Sheet.Panel;
import io.fusespill.charts.Sheet.Swatch;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.Stroke;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.util.List;
import java.util.Locale;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.Axis;
import org.jfree.chart.axis.AxisLocation;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.DatasetRenderingOrder;
import org.jfree.chart.plot.Plot;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.text.TextUtils;
import org.jfree.chart.ui.RectangleInsets;
import org.jspecify.annotations.Nullable;

/// How everything in a figure looks in one theme: thin axes, quiet grid, small text, series that
/// differ in colour, line and mark.
final class Look {

  static final float THIN = 0.5f;
  static final float LINE = 1.3f;

  private static final float[][] DASHES = {
    null, {4.5f, 1.8f}, {1.4f, 1.4f}, {6, 1.6f, 1.4f, 1.6f}, {2.8f, 1.2f}, {8, 2.5f}
  };
  private static final int MARKS = 6;

  static {
    // The other way draws outlines in the place of text.
    TextUtils.setUseDrawRotatedStringWorkaround(false);
  }

  /// Share of a figure's width that the name of a lane may take.
  private static final double NAME_SHARE = 0.35;

  /// What the name of a logarithmic axis ends with.
  static final String LOG = " (log)";

  private final Theme theme;
  private final double namePoints;

  Look(Style style) {
    this.theme = style.theme();
    this.namePoints = NAME_SHARE * style.points();
  }

  Theme theme() {
    return theme;
  }

  NumberAxis axis(String label) {
    return dress(new RoomyAxis(label));
  }

  /// A lane's name, without its middle where it would leave no room for the lane.
  String shortened(String name) {
    return Fonts.shortened(name, Fonts.regular(Fonts.SMALL), namePoints);
  }

  /// An axis from zero on.
  NumberAxis zeroAxis(String label) {
    NumberAxis axis = axis(label);
    axis.setAutoRangeIncludesZero(true);
    axis.setLowerMargin(0);
    return axis;
  }

  /// A time axis in seconds.
  NumberAxis timeAxis(double fromSeconds, double untilSeconds) {
    NumberAxis axis = axis("Time, s");
    axis.setRange(fromSeconds, untilSeconds);
    return axis;
  }

  /// A logarithmic axis, which says that it is one: over less than a decade it looks like any
  /// other.
  DecadeAxis decadeAxis(String label) {
    DecadeAxis axis = dress(new DecadeAxis(label + LOG));
    axis.setMinorTickMarksVisible(true);
    axis.setMinorTickMarkOutsideLength(1.2f);
    return axis;
  }

  <A extends ValueAxis> A dress(A axis) {
    dressAny(axis);
    if (axis instanceof NumberAxis numbers) {
      numbers.setStandardTickUnits(NumberAxis.createStandardTickUnits(Locale.ROOT));
      numbers.setAutoRangeIncludesZero(false);
    }
    return axis;
  }

  void dressAny(Axis axis) {
    axis.setLabelFont(Fonts.regular(Fonts.SMALL + 0.3f));
    axis.setTickLabelFont(Fonts.regular(Fonts.SMALL));
    axis.setLabelPaint(theme.ink());
    axis.setTickLabelPaint(theme.ink());
    axis.setAxisLinePaint(theme.muted());
    axis.setAxisLineStroke(new BasicStroke(THIN));
    axis.setTickMarkPaint(theme.muted());
    axis.setTickMarkStroke(new BasicStroke(THIN));
    axis.setTickMarkOutsideLength(2.2f);
    axis.setLabelInsets(new RectangleInsets(1.5, 1.5, 1.5, 1.5));
    axis.setTickLabelInsets(new RectangleInsets(1, 1.5, 1, 1.5));
  }

  /// @param domain null where a combined plot has it
  XYPlot plot(@Nullable ValueAxis domain, ValueAxis range) {
    // Without a renderer there is no grid either.
    XYPlot plot = new XYPlot(null, domain, range, new XYLineAndShapeRenderer());
    dress(plot);
    plot.setDomainGridlinePaint(theme.grid());
    plot.setRangeGridlinePaint(theme.grid());
    plot.setDomainGridlineStroke(new BasicStroke(THIN));
    plot.setRangeGridlineStroke(new BasicStroke(THIN));
    plot.setDomainZeroBaselineVisible(false);
    plot.setRangeZeroBaselineVisible(false);
    plot.setAxisOffset(RectangleInsets.ZERO_INSETS);
    plot.setDatasetRenderingOrder(DatasetRenderingOrder.FORWARD);
    plot.setRangeAxisLocation(AxisLocation.BOTTOM_OR_LEFT);
    return plot;
  }

  void dress(Plot plot) {
    plot.setBackgroundPaint(null);
    plot.setOutlineVisible(false);
    plot.setInsets(new RectangleInsets(4, 1, 0, 5));
    plot.setNoDataMessage(null);
  }

  /// The plot as a panel.
  static Panel panel(Plot plot) {
    JFreeChart chart = new JFreeChart(null, null, plot, false);
    chart.setBackgroundPaint(null);
    chart.setBorderVisible(false);
    chart.setPadding(RectangleInsets.ZERO_INSETS);
    chart.setRenderingHints(Fonts.hints());
    return chart::draw;
  }

  /// A panel with a heading of its own.
  Panel titled(String title, Panel panel) {
    return (g, area) -> {
      double head = 1.35 * Fonts.SMALL;
      text(g, title, area.getX() + 2, area.getY() + 0.8 * head, theme.ink(), true);
      panel.draw(
          g,
          new Rectangle2D.Double(
              area.getX(), area.getY() + head, area.getWidth(), area.getHeight() - head));
    };
  }

  /// Of the theme's ink and background, the one that can be read better on `ground`.
  Color inkOn(Color ground) {
    double light = luminance(ground);
    return Math.abs(light - luminance(theme.ink()))
            > Math.abs(light - luminance(theme.background()))
        ? theme.ink()
        : theme.background();
  }

  /// How light a colour seems, 0 to 1.
  private static double luminance(Color color) {
    return (0.299 * color.getRed() + 0.587 * color.getGreen() + 0.114 * color.getBlue()) / 255;
  }

  static void text(Graphics2D g, String text, double x, double y, Color color, boolean medium) {
    g.setFont(medium ? Fonts.medium(Fonts.SMALL) : Fonts.regular(Fonts.SMALL));
    g.setColor(color);
    g.drawString(text, (float) x, (float) y);
  }

  Color color(int series) {
    return theme.series(series);
  }

  /// The line of a series; successive ones differ without colour.
  static Stroke stroke(int series, float width) {
    float[] dash = DASHES[series % DASHES.length];
    return dash == null
        ? new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND)
        : new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, dash, 0);
  }

  /// The mark of a series, around the origin.
  static Shape mark(int series, double size) {
    double r = size / 2;
    return switch (series % MARKS) {
      case 0 -> new Ellipse2D.Double(-r, -r, size, size);
      case 1 -> new Rectangle2D.Double(-0.88 * r, -0.88 * r, 0.88 * size, 0.88 * size);
      case 2 -> polygon(0, -1.15 * r, 1.1 * r, 0.8 * r, -1.1 * r, 0.8 * r);
      case 3 -> polygon(0, -1.25 * r, 1.25 * r, 0, 0, 1.25 * r, -1.25 * r, 0);
      case 4 -> polygon(0, 1.15 * r, 1.1 * r, -0.8 * r, -1.1 * r, -0.8 * r);
      default -> cross(r);
    };
  }

  private static Shape polygon(double... xy) {
    Path2D path = new Path2D.Double();
    path.moveTo(xy[0], xy[1]);
    for (int i = 2; i < xy.length; i += 2) {
      path.lineTo(xy[i], xy[i + 1]);
    }
    path.closePath();
    return path;
  }

  private static Shape cross(double r) {
    Path2D path = new Path2D.Double();
    double a = 0.35 * r;
    double[][] corners = {
      {-r, -a}, {-a, -a}, {-a, -r}, {a, -r}, {a, -a}, {r, -a}, {r, a}, {a, a}, {a, r}, {-a, r},
      {-a, a}, {-r, a}
    };
    path.moveTo(corners[0][0], corners[0][1]);
    for (double[] corner : List.of(corners).subList(1, corners.length)) {
      path.lineTo(corner[0], corner[1]);
    }
    path.closePath();
    return path;
  }

  /// The swatch of a line with the mark of its series.
  Swatch lineSwatch(int series, boolean marked) {
    return (g, box) -> {
      double y = box.getCenterY();
      g.setColor(color(series));
      g.setStroke(stroke(series, LINE));
      g.draw(new Line2D.Double(box.getX(), y, box.getMaxX(), y));
      if (marked) {
        g.setStroke(new BasicStroke(THIN));
        g.fill(at(mark(series, 4.2), box.getCenterX(), y));
      }
    };
  }

  Swatch markSwatch(Color color, Shape mark) {
    return (g, box) -> {
      g.setColor(color);
      g.fill(at(mark, box.getCenterX(), box.getCenterY()));
    };
  }

  /// A dashed line across the plot.
  void rule(Graphics2D g, Layer.Scale scale, double value) {
    rule(g, scale.area().getX(), scale.area().getMaxX(), scale.y(value));
  }

  private void rule(Graphics2D g, double fromX, double untilX, double y) {
    g.setColor(theme.ink());
    g.setStroke(stroke(1, 0.8f));
    g.draw(new Line2D.Double(fromX, y, untilX, y));
  }

  Swatch ruleSwatch() {
    return (g, box) -> rule(g, box.getX(), box.getMaxX(), box.getCenterY());
  }

  Swatch fillSwatch(Color color, Hatch hatch) {
    return (g, box) -> hatch.fill(g, box, color, theme);
  }

  static Shape at(Shape shape, double x, double y) {
    return AffineTransform.getTranslateInstance(x, y).createTransformedShape(shape);
  }
}
