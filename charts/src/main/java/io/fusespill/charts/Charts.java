package io.fusespill.charts;

import io.fusespill.replay.evaluate.HandlingGrid;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// Where figures come from.
public final class Charts {

  private Charts() {}

  /// The figures of these kinds, in the order of [FigureKind], that the runs have something for.
  ///
  /// @param runs at least one, folded to their ends, with different names
  public static List<Figure> ofRuns(List<RunData> runs, Collection<FigureKind> kinds) {
    List<Figure> figures = new ArrayList<>();
    for (FigureKind kind : FigureKind.values()) {
      if (kinds.contains(kind)) {
        figures.addAll(kind.of(runs));
      }
    }
    return figures;
  }

  /// The figures of these kinds, in the order of [GridKind].
  ///
  /// @throws ResultsException if the results lack what one of them shows
  public static List<Figure> ofResults(
      Results results, Collection<GridKind> kinds, GridKind.Axes axes) {
    List<Figure> figures = new ArrayList<>();
    for (GridKind kind : GridKind.values()) {
      if (kinds.contains(kind)) {
        figures.addAll(kind.of(results, axes));
      }
    }
    return figures;
  }

  /// The decision map of a grid that has run.
  public static Figure decisionMap(HandlingGrid grid, List<HandlingGrid.Cell> cells) {
    return DecisionMapFigure.of(grid, cells);
  }

  /// CSS with the fonts of all figures in it, some 84 KB: a page that has it shows text as it is in
  /// PNG files.
  public static String fontCss() {
    return Fonts.css();
  }
}
