package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.function.IntPredicate;

/// The prompt step of vLLM 0.2.7: whole prompts from the front of a queue, as long as they fit,
/// padded to the longest.
///
/// @param maxPaddings padding tokens in a step at most
record PromptStep(KvLayout kv, EngineLimits limits, int maxPaddings) {

  /// What an attempt came to.
  enum Outcome {
    NOTHING,
    /// Requests were turned away, and no prompt was admitted.
    IGNORED,
    /// A step was started.
    STARTED
  }

  static final PolicyOption MAX_PADDINGS =
      new PolicyOption(
          "max-paddings", "0 to 16777216", "256", "padding tokens in a prompt step at most");
  static final PolicyOption WATERMARK =
      new PolicyOption(
          "watermark",
          "0 to below 1",
          "0.01",
          "share of the blocks that admission and swap-in leave free");

  /// Prompt steps within `limits`, which have to suit a scheduler that never splits a prompt.
  static PromptStep of(KvLayout kv, EngineLimits limits, PolicyOptions options, String policy) {
    if (limits.maxNumBatchedTokens() < limits.maxNumSeqs()) {
      throw new PolicyException(
          "max-num-batched-tokens is %d, must be at least max-num-seqs (%d) under %s"
              .formatted(limits.maxNumBatchedTokens(), limits.maxNumSeqs(), policy));
    }
    return new PromptStep(kv, limits, options.integer(MAX_PADDINGS, 0, EngineLimits.MAX_TOKENS));
  }

  /// Admits prompts from the front of `waiting` and starts them as one step of `device`.
  ///
  /// @param watermark blocks of the device that stay free
  /// @param fitsElsewhere whether another device could hold so many blocks: then a prompt too large
  ///   for this one waits for that
  Outcome start(
      EngineView view,
      int device,
      SequenceQueue waiting,
      int watermark,
      IntPredicate fitsElsewhere,
      Decisions decisions,
      StepDraft draft) {
    boolean ignored = false;
    int seats = 0;
    int longest = 0;
    while (!waiting.isEmpty()) {
      Sequence sequence = waiting.get(0);
      int tokens = sequence.totalTokens();
      int tokensMax = Math.min(limits.maxModelTokens(), limits.maxNumBatchedTokens());
      int need = kv.blocks(tokens);
      int usable = view.pool(device).total() - watermark;
      boolean impossible = tokens > tokensMax || need > usable;
      if (impossible && !draft.canReject(view, sequence.request())) {
        break;
      }
      if (tokens > tokensMax) {
        decisions.reject(sequence.request(), RejectionReason.PROMPT_TOO_LONG, tokens, tokensMax);
        ignored = true;
        continue;
      }
      if (need > usable) {
        if (fitsElsewhere.test(need)) {
          break;
        }
        decisions.reject(sequence.request(), RejectionReason.NEVER_FITS, need, usable);
        ignored = true;
        continue;
      }
      if (draft.free() - need < watermark) {
        break;
      }
      if (draft.size() == 0) {
        seats = seats(view.residents(device));
      }
      int newLongest = Math.max(longest, tokens);
      long padded = (long) newLongest * (draft.size() + 1);
      if (padded > limits.maxNumBatchedTokens()
          || seats + sequence.seats() > limits.maxNumSeqs()
          || padded - draft.tokens() - tokens > maxPaddings) {
        break;
      }
      decisions.admit(sequence, device);
      draft.add(sequence, tokens);
      longest = newLongest;
      seats += sequence.seats();
    }
    if (draft.size() > 0) {
      decisions.start(draft, longest * draft.size());
      return Outcome.STARTED;
    }
    return ignored ? Outcome.IGNORED : Outcome.NOTHING;
  }

  /// Sequences that `residents` count as under a limit on running ones.
  static int seats(SequenceQueue residents) {
    int seats = 0;
    for (int i = 0; i < residents.size(); i++) {
      seats += residents.get(i).seats();
    }
    return seats;
  }
}
