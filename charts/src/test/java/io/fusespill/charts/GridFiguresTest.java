package io.fusespill.charts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.charts.GridKind.Axes;
import io.fusespill.engine.event.Handling;
import io.fusespill.replay.evaluate.HandlingGrid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every figure of results, drawn.
class GridFiguresTest {

  private static final Map<GridKind, List<String>> AXES =
      Map.of(
          GridKind.THROUGHPUT, List.of("Output tokens/s"),
          GridKind.ABLATION, List.of("Change of output tokens/s, %"),
          GridKind.CURVE, List.of("Output tokens/s", "Offered rate, requests/s"),
          GridKind.HEATMAP, List.of("Policy", "Offered rate, requests/s"),
          GridKind.PARETO, List.of("Output tokens/s", "E2E p99, s"),
          GridKind.DECISION_MAP, List.of("Link, GB/s", "Attending host reads, GB/s"));

  @TempDir private Path folder;

  /// Two platforms × four rates × four policies × two seeds, as a sweep writes them.
  static Results sweep() {
    StringBuilder csv =
        new StringBuilder(
            "scenario,platform,model,workload,rate_requests_per_second,policy,policy_name,"
                + "policy_options,seed,output_tokens_per_second,e2e_p99_seconds,journal_digest\n");
    int scenario = 0;
    for (String platform : List.of("1xa10", "2xa10")) {
      for (double rate : new double[] {0.5, 1, 2, 4}) {
        for (int policy = 0; policy < 4; policy++) {
          for (int seed = 0; seed < 2; seed++) {
            double most = 300.0 + 100 * policy + (platform.startsWith("2") ? 250 : 0);
            double served = Math.min(rate * 290, most) + 3 * seed;
            csv.append(
                String.format(
                    Locale.ROOT,
                    "%d,%s,vicuna-7b,chat,%s,policy %d,fusespill,share=0.%d,%d,%f,%f,%08x\n",
                    scenario++,
                    platform,
                    rate,
                    policy,
                    policy,
                    seed,
                    served,
                    8 + 400 * Math.max(0, rate * 290 - most) / most,
                    scenario));
          }
        }
      }
    }
    return Results.of("sweep.csv", csv.toString());
  }

  /// A whole and three variants on two platforms, as `evaluate` writes them.
  static Results ablation() {
    return Results.of(
        "ablation.csv",
        """
        platform,model,workload,policy,policy_name,policy_options,standing,seed,output_throughput,p99_e2el_ms
        a,m,w,whole,fusespill,,baseline,0,100,5000
        a,m,w,whole,fusespill,,baseline,1,110,5000
        a,m,w,no host,fusespill,attention=false,contender,0,80,7000
        a,m,w,no host,fusespill,attention=false,contender,1,88,7000
        a,m,w,always swap,fusespill,handling=swap,contender,0,101,5100
        a,m,w,always swap,fusespill,handling=swap,contender,1,109,5100
        a,m,w,oracle,fusespill,,bound,0,105,4900
        a,m,w,oracle,fusespill,,bound,1,115,4900
        b,m,w,whole,fusespill,,baseline,0,50,9000
        b,m,w,no host,fusespill,attention=false,contender,0,45,9500
        b,m,w,always swap,fusespill,handling=swap,contender,0,49,9100
        b,m,w,oracle,fusespill,,bound,0,50,9000
        """);
  }

  private static Figure map;

  static synchronized Figure map() {
    if (map == null) {
      HandlingGrid grid =
          new HandlingGrid(
              "vicuna-7b",
              "a10",
              40,
              List.of(200, 400),
              List.of(0.05e9, 16e9),
              List.of(0.0, 133e9));
      map = Charts.decisionMap(grid, grid.run(2, done -> {}));
    }
    return map;
  }

  static Stream<Arguments> drawings() {
    return Stream.of(GridKind.values())
        .flatMap(kind ->
            Stream.of(Theme.values())
                .flatMap(theme ->
                    Stream.of(2.8, 3.4, 7.0)
                        .map(inches -> Arguments.of(kind, new Style(theme, inches)))));
  }

  private static List<Figure> figures(GridKind kind) {
    return switch (kind) {
      case DECISION_MAP -> List.of(map());
      case ABLATION -> kind.of(ablation(), Axes.DEFAULT);
      default -> kind.of(sweep(), Axes.DEFAULT);
    };
  }

  @ParameterizedTest
  @MethodSource("drawings")
  void everyFigure_isInkedLegibleAndLabelled(GridKind kind, Style style) throws IOException {
    for (Figure figure : figures(kind)) {
      if (style.inches() == Style.COLUMN_INCHES) {
        Drawn.assertInk(figure, style);
      }
      Drawn.assertLegible(figure, style);
      assertThat(Drawn.labels(figure, style)).containsAll(AXES.get(kind));
      assertThat(figure.source().footer()).contains("Simulated", "roofline");
    }
  }

  @Test
  void throughput_gainsAreSeedBySeedOverTheBestBaseline() {
    Figure figure = GridKind.THROUGHPUT.of(ablation(), Axes.DEFAULT).getFirst();

    assertThat(figure.name()).isEqualTo("throughput-a");
    assertThat(figure.data().rows().get(1))
        .containsExactly("", "no host", "contender", 84.0, Math.sqrt(32), 80.0 / 100 - 1);
    assertThat(Drawn.texts(figure.svg(Style.column(Theme.LIGHT)))).contains("84.0  −20.0%", "105");
  }

  @Test
  void ablation_isTheChangeAgainstTheWhole() {
    Figure figure = GridKind.ABLATION.of(ablation(), Axes.DEFAULT).getFirst();

    assertThat(figure.data().rows())
        .contains(List.of("no host", "b", 45.0 / 50 - 1, 0.0, 1))
        .hasSize(6);
    assertThat(AblationFigure.fits(sweep())).isFalse();
  }

  @Test
  void curve_ofAnOption_isOneLineAPolicy() {
    Figure figure =
        GridKind.CURVE
            .of(
                sweep()
                    .only(
                        Map.of(
                            "platform",
                            List.of("1xa10"),
                            "rate_requests_per_second",
                            List.of("4.0"))),
                new Axes("share", null, null))
            .getFirst();

    assertThat(figure.data().rows())
        .containsExactly(
            List.of("fusespill", 0.0, 301.5, Math.sqrt(4.5), 2),
            List.of("fusespill", 0.1, 401.5, Math.sqrt(4.5), 2),
            List.of("fusespill", 0.2, 501.5, Math.sqrt(4.5), 2),
            List.of("fusespill", 0.3, 601.5, Math.sqrt(4.5), 2));
  }

  @Test
  void curve_whereNoPolicyHasTheOption_isOfLevelsAlone() {
    Results results =
        Results.of(
            "part.csv",
            """
            platform,policy,policy_name,policy_options,output_throughput
            a,continuous,continuous,,100
            a,x h=0,fusespill,h=0,120
            a,x h=1,fusespill,h=1,130
            a,x h=2,fusespill,h=2,
            b,continuous,continuous,,200
            c,x h=1,fusespill,h=1,220
            """);

    List<Figure> figures = GridKind.CURVE.of(results, Axes.DEFAULT);

    assertThat(figures).extracting(Figure::name).containsExactly("curve-a", "curve-b", "curve-c");
    assertThat(figures.get(0).data().rows()).as("no value, no point").hasSize(3);
    for (Figure figure : figures) {
      assertThat(Drawn.texts(figure.svg(Style.column(Theme.LIGHT)))).contains("0", "2");
    }
  }

  @Test
  void policyOfTheOracle_isMarkedAnUpperBound() {
    Results results =
        Results.of(
            "bound.csv",
            """
            platform,policy,policy_name,upper_bound,output_throughput
            a,continuous,continuous,false,100
            a,fusespill,fusespill,true,130
            """);

    Figure figure = GridKind.THROUGHPUT.of(results, Axes.DEFAULT).getFirst();

    assertThat(figure.data().csv()).contains("fusespill (UPPER BOUND)", "continuous,");
    assertThat(String.join(" ", Drawn.texts(figure.svg(Style.column(Theme.LIGHT)))))
        .contains("UPPER BOUND");
  }

  @Test
  void heatMap_hasAFigureForEachOfTheRest() {
    List<Figure> figures = GridKind.HEATMAP.of(sweep(), Axes.DEFAULT);

    assertThat(figures).extracting(Figure::name).containsExactly("heatmap-1xa10", "heatmap-2xa10");
    assertThat(figures.getFirst().data().rows()).hasSize(16);
  }

  @Test
  void chosenValue_isInTheName() {
    Axes latency = new Axes(null, null, "e2e_p99_seconds");
    assertThat(GridKind.HEATMAP.of(sweep(), latency))
        .extracting(Figure::name)
        .containsExactly("heatmap-e2e-p99-seconds-1xa10", "heatmap-e2e-p99-seconds-2xa10");
    assertThat(GridKind.CURVE.of(sweep(), latency).getFirst().name())
        .startsWith("curve-e2e-p99-seconds-");
    assertThat(GridKind.PARETO.of(sweep(), new Axes("e2e_p99_seconds", null, null)))
        .extracting(Figure::name)
        .containsExactly("pareto-e2e-p99-seconds");
  }

  @Test
  void pareto_frontIsWhatNothingBeats() {
    DataTable data = GridKind.PARETO.of(ablation(), Axes.DEFAULT).getFirst().data();

    assertThat(data.rows())
        .as("bounds are left out")
        .hasSize(6)
        .filteredOn(row -> row.getLast().equals("true"))
        .containsExactly(List.of("whole", "a", 5000.0, 105.0, "true"));
  }

  @Test
  void decisionMap_isDrawnAgainFromItsData() {
    Results data = Results.of("map.csv", map().data().csv());

    assertThat(GridKind.suited(data)).containsExactly(GridKind.DECISION_MAP);
    Figure again = GridKind.DECISION_MAP.of(data, Axes.DEFAULT).getFirst();
    assertThat(again.data()).isEqualTo(new DataTable(map().data().columns(), again.data().rows()));
    assertThat(again.data().csv()).isEqualTo(map().data().csv());
  }

  @Test
  void handlingGrid_doesNotDependOnThreads() {
    HandlingGrid grid =
        new HandlingGrid("vicuna-7b", "a10", 30, List.of(200), List.of(0.05e9, 16e9), List.of(0.0));
    assertThat(grid.run(1, done -> {})).isEqualTo(grid.run(3, done -> {}));
    assertThat(grid.run(1, done -> {}).getFirst().most()).isEqualTo(Handling.RECOMPUTE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a,b\n", "a,b\n1\n", "a,b\n1,2,3\n"})
  void unreadableResults_areNamed(String csv) throws IOException {
    Path file = Files.writeString(folder.resolve("bad.csv"), csv);

    assertThatThrownBy(() -> Results.read(file))
        .isInstanceOf(ResultsException.class)
        .hasMessageContaining("bad.csv")
        .message()
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @CsvSource({"HEATMAP,nope", "CURVE,nope", "PARETO,nope"})
  void unknownColumn_isNamedWithThoseThereAre(GridKind kind, String column) {
    assertThatThrownBy(() -> kind.of(sweep(), new Axes(column, null, null)))
        .isInstanceOf(ResultsException.class)
        .hasMessageContaining("sweep.csv: no column 'nope': there are scenario, platform");
  }

  @Test
  void only_keepsWhatIsAskedFor() {
    assertThat(sweep().only(Map.of("platform", List.of("1xa10"))).rows()).hasSize(32);
    assertThatThrownBy(() -> sweep().only(Map.of("platform", List.of("3xa10"))))
        .hasMessage("sweep.csv: column 'platform' never is '3xa10': it is 1xa10, 2xa10");
  }
}
