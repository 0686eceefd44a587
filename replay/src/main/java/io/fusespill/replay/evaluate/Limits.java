package io.fusespill.replay.evaluate;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.spec.SpecReader;

/// The key `limits`: those of the engine that hold for every cell.
final class Limits {

  /// As `simulate` has it if nothing is said.
  private static final int CHECKPOINT_EVENTS = 65_536;

  private Limits() {}

  static Scenario.Limits from(SpecReader spec) {
    return new Scenario.Limits(
        spec.within("block-size", 0, 1, KvLayout.MAX_BLOCK_TOKENS),
        maxNumSeqs(spec),
        maxNumBatchedTokens(spec),
        spec.within("max-model-len", 0, 1, EngineLimits.MAX_TOKENS),
        CHECKPOINT_EVENTS);
  }

  /// 0 stands for "not given".
  static int maxNumSeqs(SpecReader spec) {
    return spec.within("max-num-seqs", 0, 1, EngineLimits.MAX_SEQUENCES);
  }

  /// 0 stands for "not given".
  static int maxNumBatchedTokens(SpecReader spec) {
    return spec.within("max-num-batched-tokens", 0, 1, EngineLimits.MAX_TOKENS);
  }
}
