package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedSegment;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepShape;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Whether the pieces of a term charge a sensible price for what only other pieces have seen.
///
/// A piece may have seen a feature at next to nothing, prompts of up to four tokens that all begin
/// a sequence, and put the whole of a step's time on it: such a coefficient is right for all that
/// was measured there, and a thousand times too large for a chunk that begins late. The steps of
/// the other pieces tell what may come.
final class Borders {

  private Borders() {}

  /// Whether no piece takes longer than a whole step for what of that step's features goes beyond
  /// all that the piece has seen. A step with more of the feature that pieces go by than the piece
  /// reaches counts with as much smaller a share of its other features. How far times jump at a
  /// border does not matter.
  ///
  /// @param model of all terms
  static boolean hold(FittedTerm term, FittedModel model, List<StepSample> samples) {
    List<StepShape> shapes =
        samples.stream().map(StepSample::shape).filter(term.steps()::includes).toList();
    long from = 0;
    for (FittedSegment piece : term.segments()) {
      Map<StepFeature, Double> seen = new EnumMap<>(StepFeature.class);
      for (StepShape shape : shapes) {
        long value = term.by().of(shape);
        if (value > from && value <= piece.upTo()) {
          piece
              .nanosPer()
              .keySet()
              .forEach(feature -> seen.merge(feature, (double) feature.of(shape), Math::max));
        }
      }
      for (StepShape shape : shapes) {
        if (beyond(piece, term.by(), seen, shape) > model.nanos(shape)) {
          return false;
        }
      }
      from = piece.upTo();
    }
    return true;
  }

  private static double beyond(
      FittedSegment piece, StepFeature by, Map<StepFeature, Double> seen, StepShape shape) {
    double share = Math.min(1, (double) piece.upTo() / Math.max(1, by.of(shape)));
    double nanos = 0;
    for (Map.Entry<StepFeature, Double> each : piece.nanosPer().entrySet()) {
      StepFeature feature = each.getKey();
      double more = share * feature.of(shape) - seen.getOrDefault(feature, 0.0);
      nanos += feature == by ? 0 : each.getValue() * Math.max(0, more);
    }
    return nanos;
  }
}
