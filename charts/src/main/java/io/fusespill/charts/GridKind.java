package io.fusespill.charts;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All figures of results of many runs: name, what each shows, and how it is made.
///
/// What a figure does not show as an axis is held fixed: there is a figure for each combination.
/// Seeds are averaged.
public enum GridKind {
  THROUGHPUT("throughput", "output tokens a second by policy, with gains", GridFigures::throughput),
  ABLATION("ablation", "change against the whole, a part left out each", AblationFigure::of),
  CURVE(
      "curve",
      "a value against a rate or a numeric option (--x), such as an α sweep",
      CurveFigure::of),
  HEATMAP("heatmap", "a value over two axes (--x, --y, --value)", HeatMapFigure::of),
  PARETO("pareto", "throughput against tail latency, with the Pareto front", ParetoFigure::of),
  DECISION_MAP(
      "decision-map",
      "which handling is chosen, by memory, link and host",
      (results, axes) -> List.of(DecisionMapFigure.of(results)));

  private final String label;
  private final String description;
  private final Maker maker;

  private interface Maker {
    List<Figure> of(Results results, Axes axes);
  }

  /// Columns for the axes, where the reader chooses.
  ///
  /// @param x null for what suits the results; likewise the others
  public record Axes(@Nullable String x, @Nullable String y, @Nullable String value) {

    /// What suits the results.
    public static final Axes DEFAULT = new Axes(null, null, null);
  }

  GridKind(String label, String description, Maker maker) {
    this.label = label;
    this.description = description;
    this.maker = maker;
  }

  /// The name in options and file names.
  public String label() {
    return label;
  }

  public String description() {
    return description;
  }

  /// The figures of this kind.
  ///
  /// @throws ResultsException if the results lack what it shows
  public List<Figure> of(Results results, Axes axes) {
    return maker.of(results.withBoundsNamed(), axes);
  }

  /// The kinds that results of this shape are most likely wanted in.
  public static List<GridKind> suited(Results results) {
    if (DecisionMapFigure.fits(results)) {
      return List.of(DECISION_MAP);
    }
    return Arrays.stream(values())
        .filter(kind ->
            switch (kind) {
              case THROUGHPUT -> results.values("policy").size() > 1;
              case ABLATION -> AblationFigure.fits(results);
              case CURVE -> CurveFigure.fits(results);
              case HEATMAP -> HeatMapFigure.fits(results);
              case PARETO -> ParetoFigure.fits(results);
              case DECISION_MAP -> false;
            })
        .toList();
  }

  public static List<String> labels() {
    return Arrays.stream(values()).map(GridKind::label).toList();
  }
}
