package io.fusespill.charts;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.charts.KvFigure.Fill;
import io.fusespill.charts.KvFigure.Unit;
import io.fusespill.charts.RunData.Detail;
import io.fusespill.engine.config.Place;
import io.fusespill.replay.timeline.Span;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every figure of runs, drawn.
class RunFiguresTest {

  /// What the axes of each figure say.
  private static final Map<FigureKind, List<String>> AXES =
      Map.of(
          FigureKind.THROUGHPUT, List.of("Output tokens/s"),
          FigureKind.LATENCY,
              List.of(
                  "Time to first token, s",
                  "Time per output token, ms",
                  "End-to-end latency, s",
                  "Share, %"),
          FigureKind.KV, List.of("KV in use, GiB", "Time, s", "admitted"),
          FigureKind.UTILISATION, List.of("Time, s", "a10", "decode"),
          FigureKind.LIVES, List.of("Time, s", "Sequence", "waiting"),
          FigureKind.STEP_TIME, List.of("Actual step time, ms", "Predicted step time, ms"),
          FigureKind.REMAINING_LENGTH,
              List.of("Actual remaining output, tokens", "Predicted remaining output, tokens"));

  private static List<RunData> runs;
  private static RunData spilling;

  @BeforeAll
  static void simulate() {
    runs = List.of(Runs.swap("swap"), Runs.fusespill("fusespill"));
    spilling = Runs.spilling("spilling");
  }

  static Stream<Arguments> drawings() {
    return Stream.of(FigureKind.values())
        .flatMap(kind ->
            Stream.of(Theme.values())
                .flatMap(theme ->
                    Stream.of(2.5, 3.4, 5.5, 7.0)
                        .map(inches -> Arguments.of(kind, new Style(theme, inches)))));
  }

  @ParameterizedTest
  @MethodSource("drawings")
  void everyFigure_isInkedLegibleAndLabelled(FigureKind kind, Style style) throws IOException {
    List<Figure> figures = kind.of(runs);
    assertThat(figures).isNotEmpty();
    for (Figure figure : figures) {
      if (style.inches() == Style.COLUMN_INCHES) {
        Drawn.assertInk(figure, style);
      }
      Drawn.assertLegible(figure, style);
      assertThat(Drawn.labels(figure, style)).containsAll(AXES.get(kind));
    }
  }

  @ParameterizedTest
  @EnumSource(FigureKind.class)
  void figure_saysWhereItsNumbersAreFrom(FigureKind kind) {
    for (Figure figure : kind.of(runs)) {
      assertThat(figure.source().footer()).contains("Simulated, roofline step times", "vicuna-7b");
      String footer = String.join(" ", Drawn.texts(figure.svg(Style.column(Theme.LIGHT))));
      for (Source.Origin origin : figure.source().origins()) {
        assertThat(footer).contains(origin.name(), Source.brief(origin.configDigest()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(FigureKind.class)
  void drawingAgain_givesTheSameBytes(FigureKind kind) {
    Style style = Style.column(Theme.LIGHT);
    List<Figure> first = kind.of(runs);
    List<Figure> again = kind.of(List.of(Runs.swap("swap"), Runs.fusespill("fusespill")));
    for (int i = 0; i < first.size(); i++) {
      assertThat(again.get(i).png(style, 150)).isEqualTo(first.get(i).png(style, 150));
      assertThat(again.get(i).svg(style)).isEqualTo(first.get(i).svg(style));
      assertThat(again.get(i).data().csv()).isEqualTo(first.get(i).data().csv());
    }
  }

  @ParameterizedTest
  @EnumSource(FigureKind.class)
  void csv_holdsTheFiguresData(FigureKind kind) {
    for (Figure figure : kind.of(runs)) {
      Results read = Results.of("data", figure.data().csv());
      assertThat(read.columns()).isEqualTo(figure.data().columns());
      assertThat(read.rows()).hasSameSizeAs(figure.data().rows());
      for (int i = 0; i < read.rows().size(); i++) {
        for (int column = 0; column < read.columns().size(); column++) {
          Object value = figure.data().rows().get(i).get(column);
          String cell = read.rows().get(i).text(read.columns().get(column));
          if (value instanceof Double number && number.isNaN()) {
            assertThat(cell).isEmpty();
          } else if (value instanceof Number number) {
            assertThat(Double.parseDouble(cell)).isEqualTo(number.doubleValue());
          } else {
            assertThat(cell).isEqualTo(value);
          }
        }
      }
    }
  }

  @Test
  void throughput_isTheReportsWithGainsOverTheFirst() {
    DataTable data = FigureKind.THROUGHPUT.of(runs).getFirst().data();
    double swap = (double) runs.getFirst().report().figures().get("output_throughput");
    double fusespill = (double) runs.getLast().report().figures().get("output_throughput");

    assertThat(data.rows().getFirst()).contains(swap);
    assertThat(data.rows().getLast()).contains(fusespill, fusespill / swap - 1);
  }

  @Test
  void stepTimes_areForetoldExactlyByTheCostsTheyAreSimulatedWith() {
    assertThat(runs.getLast().stepTimes().pairs().count())
        .isEqualTo(runs.getLast().report().metrics().steps(0));
    assertThat(runs.getLast().stepTimes().pairs().meanRelativeError()).isLessThan(0.001);
  }

  @Test
  void spilling_isMarked() {
    Figure figure = FigureKind.KV.of(List.of(spilling)).getFirst();
    assertThat(Drawn.texts(figure.svg(Style.column(Theme.LIGHT))))
        .contains("to disk", "disk", "swapped", "back");
    Drawn.assertLegible(figure, Style.column(Theme.DARK));
    assertThat(
            Drawn.texts(
                FigureKind.LIVES.of(List.of(spilling)).getFirst().svg(Style.column(Theme.DARK))))
        .contains("on disk", "in transfer");
  }

  @Test
  void window_narrowsWhatIsLookedAt() {
    long from = 5_000_000_000L;
    long until = 8_000_000_000L;
    RunData run = Runs.fusespill("part", new Detail(new Span(from, until), 10));
    for (FigureKind kind : List.of(FigureKind.KV, FigureKind.UTILISATION)) {
      for (List<Object> row : kind.of(List.of(run)).getFirst().data().rows()) {
        List<Double> times =
            row.stream().filter(Double.class::isInstance).map(Double.class::cast).limit(2).toList();
        assertThat(times.getLast()).isGreaterThan(5.0);
        assertThat(times.getFirst()).isLessThan(8.0);
      }
    }
    assertThat(run.lives().stories()).hasSizeBetween(5, 10);
    Drawn.assertLegible(FigureKind.LIVES.of(List.of(run)).getFirst(), Style.column(Theme.LIGHT));
  }

  @ParameterizedTest
  @EnumSource(FigureKind.class)
  void oneRequest_isDrawnWithTicksAndLanes(FigureKind kind) {
    Figure figure = kind.of(List.of(Runs.one("one"))).getFirst();
    Drawn.assertLegible(figure, Style.column(Theme.LIGHT));
    List<String> axes = new ArrayList<>(AXES.get(kind));
    axes.remove("waiting");
    assertThat(Drawn.labels(figure, Style.column(Theme.LIGHT))).containsAll(axes);
    if (kind == FigureKind.STEP_TIME) {
      assertThat(Drawn.texts(figure.svg(Style.column(Theme.LIGHT))))
          .filteredOn(text -> text.matches("[0-9.]+"))
          .hasSizeGreaterThanOrEqualTo(4);
    }
  }

  @ParameterizedTest
  @EnumSource(FigureKind.class)
  void longName_staysOnThePage(FigureKind kind) {
    String name = "sharegpt-under-pressure-".repeat(6) + "1a2b3c4d";
    List<RunData> named = List.of(Runs.one("one"), Runs.one(name));
    for (Figure figure : kind.of(named)) {
      Drawn.assertLegible(figure, Style.column(Theme.LIGHT));
    }
  }

  @Test
  void shortTransfers_hideNoDecode() throws IOException {
    Style style = Style.column(Theme.LIGHT);
    Figure figure = FigureKind.LIVES.of(List.of(runs.getFirst())).getFirst();
    BufferedImage image =
        ImageIO.read(new ByteArrayInputStream(figure.png(style, Figure.PRINT_DPI)));

    assertThat(figure.data().rows()).anyMatch(row -> row.contains("in transfer"));
    int highest = 0;
    for (int x = image.getWidth() / 5; x < image.getWidth(); x++) {
      int high = 0;
      for (int y = image.getHeight() / 4; y < 3 * image.getHeight() / 4; y++) {
        high = image.getRGB(x, y) == Theme.LIGHT.ink().getRGB() ? high + 1 : 0;
        highest = Math.max(highest, high);
      }
    }
    // A line is 6.9 points high, a tick half of that.
    assertThat(highest * 72.0 / Figure.PRINT_DPI).isBetween(3.0, 4.0);
  }

  @ParameterizedTest
  @EnumSource(Theme.class)
  void eightDevices_differInGrey(Theme theme) {
    List<Place> places =
        IntStream.range(0, 8).mapToObj(id -> Place.device(id, "a10-" + id, 100)).toList();
    Look look = new Look(Style.column(theme));
    for (Place one : places) {
      Fill fill = KvFigure.fill(look, places, one);
      for (Place other : places.subList(0, one.id())) {
        Fill before = KvFigure.fill(look, places, other);
        if (before.hatch() == fill.hatch()) {
          assertThat(Math.abs(grey(before) - grey(fill)))
              .as("%s and %s", other.name(), one.name())
              .isGreaterThan(30);
        }
      }
    }
  }

  private static double grey(Fill fill) {
    return 0.299 * fill.color().getRed()
        + 0.587 * fill.color().getGreen()
        + 0.114 * fill.color().getBlue();
  }

  @Test
  void smallPools_areMeasuredInSmallUnits() {
    Figure figure = FigureKind.KV.of(List.of(Runs.small("small"))).getFirst();

    assertThat(Drawn.texts(figure.svg(Style.column(Theme.LIGHT))))
        .contains("KV in use, MiB")
        .doesNotContain("KV in use, GiB");
    assertThat(Unit.of(0)).isEqualTo(Unit.KIB);
    assertThat(Unit.of(3 << 10)).isEqualTo(Unit.KIB);
    assertThat(Unit.of(1 << 20)).isEqualTo(Unit.MIB);
    assertThat(Unit.of(5L << 30)).isEqualTo(Unit.GIB);
  }

  @Test
  void logarithmicAxes_saySo() {
    Style style = Style.column(Theme.LIGHT);
    String svg = FigureKind.STEP_TIME.of(runs).getFirst().svg(style);
    assertThat(Drawn.texts(svg))
        .contains("Actual step time, ms (log)", "Predicted step time, ms (log)");
    assertThat(Drawn.texts(FigureKind.KV.of(runs).getFirst().svg(style)))
        .noneMatch(text -> text.endsWith("(log)"));
  }

  @Test
  void errors_sayWhichStepsTheyAreOf() {
    assertThat(FigureKind.REMAINING_LENGTH.of(runs).getFirst().source().text())
        .contains(" pairs of each 32nd step: mean error ");
    assertThat(FigureKind.STEP_TIME.of(runs).getFirst().source().text())
        .contains(" pairs: mean error ");
    assertThat(ThroughputFigure.percent(-1e-6)).isEqualTo("+0.0%");
  }

  @Test
  void longLaneName_leavesRoomForItsLane() {
    Look look = new Look(Style.column(Theme.LIGHT));
    String name = "rtx-4090-in-the-second-slot-of-the-left-rack to xeon-8358p";
    assertThat(look.shortened(name)).startsWith("rtx-4090").contains("…").endsWith("xeon-8358p");
    assertThat(Fonts.width(look.shortened(name), Fonts.regular(Fonts.SMALL))).isLessThan(100);
    assertThat(look.shortened("a10")).isEqualTo("a10");
  }

  @ParameterizedTest
  @EnumSource(FigureKind.class)
  void emptyRun_hasNoFigure(FigureKind kind) {
    assertThat(kind.of(List.of(Runs.empty("empty")))).isEmpty();
  }

  @Test
  void identifiers_beginWithTheFigureAndTheme() {
    for (Figure figure : Charts.ofRuns(runs, List.of(FigureKind.values()))) {
      String svg = figure.svg(Style.column(Theme.DARK));
      assertThat(svg.split(" id=\"").length - 1)
          .isEqualTo(svg.split(" id=\"" + figure.name() + "-dark-").length - 1);
      assertThat(svg).startsWith("<svg").doesNotContain("<image", "http://www.w3.org/TR");
    }
  }
}
