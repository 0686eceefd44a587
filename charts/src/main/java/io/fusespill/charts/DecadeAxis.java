package io.fusespill.charts;

import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberTick;
import org.jfree.chart.axis.TickType;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.TextAnchor;

/// A logarithmic axis with ticks at 1, 10, 100, and at 2 and 5 between where there is room. A range
/// that has not two of them has ticks at equal distances.
///
/// JFreeChart's own puts them at equal distances instead, at 126, 158, 200, 251.
final class DecadeAxis extends LogAxis {

  private static final long serialVersionUID = 1L;
  private static final double NARROW_DECADES = 2.2;
  private static final int EVEN_TICKS = 3;

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
    return ticks.stream().filter(tick -> tick.getTickType().equals(TickType.MAJOR)).count() < 2
        ? even(lower, upper, anchor)
        : ticks;
  }

  /// At whole multiples of 1, 2 or 5 times a power of ten.
  private static List<NumberTick> even(double lower, double upper, TextAnchor anchor) {
    double rough = (upper - lower) / EVEN_TICKS;
    BigDecimal power = BigDecimal.ONE.scaleByPowerOfTen((int) Math.floor(Math.log10(rough)));
    BigDecimal step =
        Stream.of(1, 2, 5, 10)
            .map(digit -> power.multiply(BigDecimal.valueOf(digit)))
            .filter(size -> size.doubleValue() >= rough)
            .findFirst()
            .orElseThrow()
            .stripTrailingZeros();
    BigDecimal first =
        BigDecimal.valueOf((long) Math.ceil(lower / step.doubleValue())).multiply(step);
    List<NumberTick> ticks = new ArrayList<>();
    for (BigDecimal value = first; value.doubleValue() <= upper; value = value.add(step)) {
      ticks.add(new NumberTick(value.doubleValue(), label(value), anchor, TextAnchor.CENTER, 0));
    }
    return ticks;
  }

  private static String label(BigDecimal value) {
    return String.format(Locale.ROOT, "%%,.%df".formatted(Math.max(0, value.scale())), value);
  }
}
