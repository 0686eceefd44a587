package io.fusespill.replay.evaluate;

import io.fusespill.sim.Scenario;
import io.fusespill.sim.spec.SpecReader;
import org.jspecify.annotations.Nullable;

/// The key `limits`: those of the engine that hold for every cell.
final class Limits {

  /// As `simulate` has it if nothing is said.
  private static final int CHECKPOINT_EVENTS = 65_536;

  private Limits() {}

  static Scenario.Limits from(SpecReader spec) {
    return new Scenario.Limits(
        orZero(spec.countOrNull("block-size")),
        orZero(spec.countOrNull("max-num-seqs")),
        orZero(spec.countOrNull("max-num-batched-tokens")),
        orZero(spec.countOrNull("max-model-len")),
        CHECKPOINT_EVENTS);
  }

  /// 0 stands for "not given".
  static int orZero(@Nullable Integer count) {
    return count == null ? 0 : count;
  }
}
