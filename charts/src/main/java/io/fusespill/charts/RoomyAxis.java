package io.fusespill.charts;

import java.awt.Graphics2D;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.TickUnit;

/// An axis of numbers whose ticks have room for their labels.
///
/// JFreeChart measures the labels at both ends alone. Between 0 and 1 those are shorter than 0.05.
final class RoomyAxis extends NumberAxis {

  private static final long serialVersionUID = 1L;

  RoomyAxis(String label) {
    super(label);
  }

  @Override
  protected double estimateMaximumTickLabelWidth(Graphics2D g, TickUnit unit) {
    double first = (Math.floor(getRange().getLowerBound() / unit.getSize()) + 1) * unit.getSize();
    double inner = Fonts.width(unit.valueToString(first), getTickLabelFont());
    return Math.max(
        super.estimateMaximumTickLabelWidth(g, unit),
        inner + getTickLabelInsets().getLeft() + getTickLabelInsets().getRight());
  }
}
