package io.fusespill.charts;

import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import org.jfree.chart.axis.NumberTick;
import org.jfree.chart.axis.SymbolAxis;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.TextAnchor;

/// An axis of names, from the top or the left, none left out: whoever draws lanes makes them wide
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

  /// A horizontal one, whose names stand upright where they are wider than their lanes.
  static LaneAxis horizontal(Look look, List<String> names, double lanePoints) {
    LaneAxis axis = new LaneAxis(look, names);
    axis.setInverted(false);
    axis.setVerticalTickLabels(widest(names) + 3 > lanePoints);
    return axis;
  }

  private static double widest(List<String> names) {
    return names.stream()
        .mapToDouble(name -> Fonts.width(name, Fonts.regular(Fonts.SMALL)))
        .max()
        .orElse(0);
  }

  /// Height that the names of a horizontal axis take.
  double labelPoints() {
    return isVerticalTickLabels() ? widest(List.of(getSymbols())) : Fonts.SMALL;
  }

  @Override
  protected List<NumberTick> refreshTicksVertical(
      Graphics2D g, Rectangle2D area, RectangleEdge edge) {
    TextAnchor anchor =
        RectangleEdge.LEFT.equals(edge) ? TextAnchor.CENTER_RIGHT : TextAnchor.CENTER_LEFT;
    return ticks(anchor, TextAnchor.CENTER, 0);
  }

  @Override
  protected List<NumberTick> refreshTicksHorizontal(
      Graphics2D g, Rectangle2D area, RectangleEdge edge) {
    return isVerticalTickLabels()
        ? ticks(TextAnchor.CENTER_RIGHT, TextAnchor.CENTER_RIGHT, -Math.PI / 2)
        : ticks(TextAnchor.TOP_CENTER, TextAnchor.TOP_CENTER, 0);
  }

  private List<NumberTick> ticks(TextAnchor text, TextAnchor rotation, double angle) {
    List<NumberTick> ticks = new ArrayList<>();
    for (int lane = 0; lane < getSymbols().length; lane++) {
      ticks.add(new NumberTick(lane, getSymbols()[lane], text, rotation, angle));
    }
    return ticks;
  }
}
