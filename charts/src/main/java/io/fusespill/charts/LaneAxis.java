package io.fusespill.charts;

import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import org.jfree.chart.axis.NumberTick;
import org.jfree.chart.axis.SymbolAxis;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.TextAnchor;

/// A vertical axis of names, the first on top, none left out: whoever draws lanes makes them high
/// enough.
final class LaneAxis extends SymbolAxis {

  private static final long serialVersionUID = 1L;

  LaneAxis(Look look, List<String> names) {
    super(null, names.toArray(String[]::new));
    look.dress(this);
    setGridBandsVisible(false);
    setInverted(true);
    setTickMarksVisible(false);
    setRange(-0.5, names.size() - 0.5);
  }

  @Override
  protected List<NumberTick> refreshTicksVertical(
      Graphics2D g, Rectangle2D area, RectangleEdge edge) {
    List<NumberTick> ticks = new ArrayList<>();
    TextAnchor anchor =
        edge == RectangleEdge.LEFT ? TextAnchor.CENTER_RIGHT : TextAnchor.CENTER_LEFT;
    for (int lane = 0; lane < getSymbols().length; lane++) {
      ticks.add(new NumberTick(lane, getSymbols()[lane], anchor, TextAnchor.CENTER, 0));
    }
    return ticks;
  }
}
