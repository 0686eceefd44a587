package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedSegment;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepShape;
import java.util.List;
import java.util.Map;

/// Whether a term's pieces make sense where they meet.
///
/// A piece may have seen a feature at next to nothing only, prompts of up to four tokens that all
/// begin a sequence, and put the whole of a step's time on it: such a coefficient is right for all
/// that was measured there and a thousand times too large for a chunk that begins late. Neighbours
/// tell: steps beyond its border are foretold by it, too, as steps at the border with all else as
/// it was.
final class Borders {

  /// Steps up to so many times as far as the border are asked.
  private static final long REACH = 4;

  /// To take a step for so many times as long as it was, or as its own piece says, is nonsense: one
  /// that was cut short is no yardstick.
  private static final double NONSENSE = 2;

  private Borders() {}

  /// Whether no piece of the term takes a step beyond its border for far too long.
  ///
  /// @param model of all terms
  static boolean hold(FittedTerm term, FittedModel model, List<StepSample> samples) {
    List<FittedSegment> pieces = term.segments();
    for (int lower = 0; lower + 1 < pieces.size(); lower++) {
      FittedSegment below = pieces.get(lower);
      FittedSegment above = pieces.get(lower + 1);
      long border = below.upTo();
      long from = lower == 0 ? 0 : pieces.get(lower - 1).upTo();
      for (StepSample sample : samples) {
        StepShape shape = sample.shape();
        long value = term.by().of(shape);
        boolean isBelow = value > Math.max(from, border / REACH) && value <= border;
        boolean isAbove = value > border && value <= Math.min(above.upTo(), border * REACH);
        if (term.steps().includes(shape) && value > 0 && (isBelow || isAbove)) {
          double own = model.nanos(shape);
          double rest = own - nanos(isBelow ? below : above, term.by(), value, shape);
          double there =
              isBelow
                  ? nanos(above, term.by(), border + 1, shape)
                  : nanos(below, term.by(), border, shape);
          if (rest + there > NONSENSE * Math.max(own, (double) sample.nanos())) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /// What the piece says of a shape whose feature `by` has another value.
  private static double nanos(FittedSegment piece, StepFeature by, long value, StepShape shape) {
    double nanos = piece.interceptNanos();
    for (Map.Entry<StepFeature, Double> each : piece.nanosPer().entrySet()) {
      long amount = each.getKey() == by ? value : each.getKey().of(shape);
      nanos += each.getValue() * amount;
    }
    return nanos;
  }
}
