package io.fusespill.sim.cost;

import java.util.ArrayList;
import java.util.List;

/// Steps for tests.
final class Shapes {

  private Shapes() {}

  /// `decodes` sequences with a context of `context` tokens each.
  static StepShape decode(int decodes, long context) {
    return new StepShape(decodes, decodes * context, 0, 0, 0, decodes, decodes);
  }

  /// `prefills` whole prompts of `tokens` tokens each.
  static StepShape prefill(int prefills, int tokens) {
    return new StepShape(
        0,
        0,
        prefills,
        (long) prefills * tokens,
        prefills * StepShape.pairs(0, tokens),
        prefills * tokens,
        prefills);
  }

  /// Every combination of few, some and many, of decodes and prefills, with and without padding.
  static List<StepShape> grid() {
    List<StepShape> shapes = new ArrayList<>();
    for (int decodes : new int[] {0, 1, 7, 64, 256}) {
      for (int context : new int[] {1, 500, 32_000}) {
        for (int prefills : new int[] {0, 1, 9}) {
          for (int tokens : new int[] {1, 333, 2_048}) {
            for (int padding : new int[] {0, 1, 500}) {
              shapes.add(
                  new StepShape(
                      decodes,
                      (long) decodes * context,
                      prefills,
                      (long) prefills * tokens,
                      prefills * StepShape.pairs(context, tokens),
                      decodes + prefills * tokens + padding,
                      decodes + prefills));
            }
          }
        }
      }
    }
    return shapes;
  }
}
