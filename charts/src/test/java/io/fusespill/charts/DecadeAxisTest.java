package io.fusespill.charts;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.geom.Rectangle2D;
import java.util.List;
import org.jfree.chart.ui.RectangleEdge;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecadeAxisTest {

  @ParameterizedTest
  @CsvSource({
    "0.05, 700, '0.1 1 10 100'",
    "30, 500, '50 100 200 500'",
    "0.9, 1100, '1 10 100 1,000'",
    "0.002, 0.02, '0.002 0.005 0.01 0.02'",
    "26.2, 28.4, '27 28'",
    "19, 48, '20 30 40'",
    "1230, 1270, '1,240 1,260'",
    "0.0262, 0.0264, '0.0262 0.0263 0.0264'",
  })
  void namedTicks_areRound(double lower, double upper, String labels) {
    DecadeAxis axis = new DecadeAxis("x");
    axis.setRange(lower, upper);

    List<String> named =
        axis
            .refreshTicksHorizontal(Fonts.ruler(), new Rectangle2D.Double(), RectangleEdge.BOTTOM)
            .stream()
            .map(tick -> tick.getText())
            .filter(text -> !text.isEmpty())
            .toList();

    assertThat(String.join(" ", named)).isEqualTo(labels);
  }
}
