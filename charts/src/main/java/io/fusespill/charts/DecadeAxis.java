package io.fusespill.charts;

import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberTick;
import org.jfree.chart.axis.TickType;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.TextAnchor;

/// A logarithmic axis with ticks at 1, 10, 100, and at 2 and 5 between where there is room.
///
/// JFreeChart's own puts them at equal distances instead, at 126, 158, 200, 251.
final class DecadeAxis extends LogAxis {

  private static final long serialVersionUID = 1L;
  private static final double NARROW_DECADES = 2.2;

  DecadeAxis(String label) {
    super(label);
  }

  @Override
  protected List<NumberTick> refreshTicksHorizontal(
      Graphics2D g, Rectangle2D area, RectangleEdge edge) {
    return ticks(TextAnchor.TOP_CENTER);
  }

  @Override
  protected List<NumberTick> refreshTicksVertical(
      Graphics2D g, Rectangle2D area, RectangleEdge edge) {
    return ticks(TextAnchor.CENTER_RIGHT);
  }

  private List<NumberTick> ticks(TextAnchor anchor) {
    double lower = getRange().getLowerBound();
    double upper = getRange().getUpperBound();
    boolean dense = Math.log10(upper / lower) <= NARROW_DECADES;
    List<NumberTick> ticks = new ArrayList<>();
    int from = (int) Math.floor(Math.log10(lower));
    int until = (int) Math.ceil(Math.log10(upper));
    for (int exponent = from; exponent <= until; exponent++) {
      for (int digit = 1; digit <= 9; digit++) {
        BigDecimal value = BigDecimal.valueOf(digit).scaleByPowerOfTen(exponent);
        double number = value.doubleValue();
        if (number >= lower * (1 - 1e-9) && number <= upper * (1 + 1e-9)) {
          boolean named = digit == 1 || (dense && (digit == 2 || digit == 5));
          ticks.add(
              new NumberTick(
                  named ? TickType.MAJOR : TickType.MINOR,
                  number,
                  named ? label(value) : "",
                  anchor,
                  TextAnchor.CENTER,
                  0));
        }
      }
    }
    return ticks;
  }

  private static String label(BigDecimal value) {
    return value.compareTo(BigDecimal.ONE) >= 0
        ? "%,d".formatted(value.longValueExact())
        : value.toPlainString();
  }
}
