package io.fusespill.charts;

import java.awt.Graphics2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import org.jfree.chart.annotations.AbstractXYAnnotation;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.PlotRenderingInfo;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.ui.RectangleEdge;

/// Something drawn in the coordinates of a plot, clipped to its data area.
@FunctionalInterface
interface Layer {

  void draw(Graphics2D g, Scale scale);

  /// From values to points on the page.
  record Scale(
      Rectangle2D area,
      ValueAxis domain,
      RectangleEdge domainEdge,
      ValueAxis range,
      RectangleEdge rangeEdge) {

    double x(double value) {
      return domain.valueToJava2D(value, area, domainEdge);
    }

    double y(double value) {
      return range.valueToJava2D(value, area, rangeEdge);
    }

    /// The rectangle between two points.
    Rectangle2D box(double x1, double y1, double x2, double y2) {
      Rectangle2D box = new Rectangle2D.Double();
      box.setFrameFromDiagonal(x(x1), y(y1), x(x2), y(y2));
      return box;
    }

    /// A line through points.
    Path2D line(double[] xs, double[] ys) {
      Path2D path = new Path2D.Double();
      for (int i = 0; i < xs.length; i++) {
        if (i == 0) {
          path.moveTo(x(xs[i]), y(ys[i]));
        } else {
          path.lineTo(x(xs[i]), y(ys[i]));
        }
      }
      return path;
    }
  }

  /// Adds the layer above those there are.
  static void add(XYPlot plot, Layer layer) {
    plot.addAnnotation(new Annotation(layer), false);
  }

  /// A layer as JFreeChart knows it.
  final class Annotation extends AbstractXYAnnotation {

    private static final long serialVersionUID = 1L;

    private final transient Layer layer;

    Annotation(Layer layer) {
      this.layer = layer;
    }

    @Override
    public void draw(
        Graphics2D g,
        XYPlot plot,
        Rectangle2D area,
        ValueAxis domain,
        ValueAxis range,
        int rendererIndex,
        PlotRenderingInfo info) {
      layer.draw(
          g, new Scale(area, domain, plot.getDomainAxisEdge(), range, plot.getRangeAxisEdge()));
    }
  }
}
