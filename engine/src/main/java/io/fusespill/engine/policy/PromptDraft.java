package io.fusespill.engine.policy;

import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.cost.StepLoad;
import io.fusespill.engine.state.Sequence;

/// Puts chunks of prompts into a step under `fusespill`, and counts what they are to compute.
///
/// @param load of the step being put together
record PromptDraft(KvLayout kv, StepLoad load) {

  /// Adds as many of the sequence's tokens as are pending, in the budget and have room.
  ///
  /// @return how many
  int add(Sequence sequence, StepDraft draft, int budget) {
    int computed = sequence.plannedComputedTokens();
    long room = (long) (sequence.table().size() + draft.free()) * kv.blockTokens() - computed;
    int tokens = (int) Math.min(Math.min(sequence.pendingTokens(), budget), room);
    if (tokens <= 0) {
      return 0;
    }
    load.addPrefill(computed, tokens);
    draft.add(sequence, tokens);
    return tokens;
  }
}
