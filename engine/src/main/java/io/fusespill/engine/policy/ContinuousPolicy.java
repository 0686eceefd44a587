package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import io.fusespill.engine.state.SequenceStatus;
import java.util.List;

/// Scheduling in the manner of vLLM V1 (`vllm/v1/core/sched/scheduler.py`): there is no prefill or
/// decode phase, each sequence's computed tokens chase its known tokens under one token budget a
/// step.
///
/// Running sequences go first, in order; then, if nobody was preempted, waiting ones are admitted.
/// When blocks run out the last running sequence is preempted by recompute. A request that could
/// never fit is rejected.
final class ContinuousPolicy implements SchedulingPolicy {

  /// How the running sequences found room for their tokens.
  private enum Room {
    ENOUGH,
    /// By preemption.
    MADE,
    /// The victim is in a step in flight: nobody else is admitted until that is done.
    WANTING
  }

  private static final PolicyOption CHUNKED_PREFILL =
      new PolicyOption(
          "chunked-prefill", "true or false", "true", "whether a prompt may be split over steps");
  private static final PolicyOption PROMPT_CHUNK =
      new PolicyOption(
          "long-prefill-threshold",
          "0 to 16777216",
          "0",
          "tokens of one sequence in a step at most; 0: only the budget limits");
  private static final PolicyOption RESERVE_PROMPT =
      new PolicyOption(
          "reserve-prompt",
          "true or false",
          "false",
          "admit only where the whole prompt fits, not just its first chunk");
  static final PolicyOption PREFIX_CACHING =
      new PolicyOption(
          PolicySpec.PREFIX_CACHING,
          "true or false",
          "false",
          "a sequence begins with the full blocks that hold its tokens already, computed for other prompts or before it was preempted; least recently freed blocks are taken first");
  static final List<PolicyOption> OPTIONS =
      List.of(CHUNKED_PREFILL, PROMPT_CHUNK, RESERVE_PROMPT, PREFIX_CACHING, Routing.OPTION);

  private final KvLayout kv;
  private final EngineLimits limits;
  private final int tokensMax;
  private final int blocksMax;
  private final boolean chunked;
  private final int chunkMax;
  private final boolean reservePrompt;
  private final Routing routing;

  ContinuousPolicy(EngineConfig config, PolicyOptions options) {
    kv = config.kv();
    limits = config.limits();
    blocksMax =
        config.topology().places().stream()
            .filter(Place::computes)
            .mapToInt(Place::blocks)
            .max()
            .orElseThrow();
    chunked = options.flag(CHUNKED_PREFILL);
    int threshold = options.integer(PROMPT_CHUNK, 0, EngineLimits.MAX_TOKENS);
    chunkMax = threshold == 0 ? EngineLimits.MAX_TOKENS : threshold;
    reservePrompt = options.flag(RESERVE_PROMPT);
    options.flag(PREFIX_CACHING);
    routing = options.constant(Routing.OPTION, Routing.class);
    tokensMax =
        chunked
            ? limits.maxModelTokens()
            : Math.min(limits.maxModelTokens(), limits.maxNumBatchedTokens());
    if (!chunked && threshold > 0) {
      throw new PolicyException(
          "option long-prefill-threshold of policy continuous is %d, must be 0 where chunked-prefill is false"
              .formatted(threshold));
    }
  }

  @Override
  public void route(EngineView view, Decisions decisions) {
    routing.route(view, decisions);
  }

  /// It brings nothing back.
  @Override
  public boolean keeps(EngineView view, Sequence sequence) {
    return sequence.status() == SequenceStatus.RUNNING;
  }

  @Override
  public boolean uses(Place place, int samples) {
    return place.computes();
  }

  @Override
  public Round schedule(EngineView view, int device, Decisions decisions) {
    StepDraft draft = decisions.draft(device);
    boolean rejected = turnAwayHeads(view, device, decisions, draft);
    Room room = scheduleRunning(view, device, decisions, draft);
    rejected |= room == Room.ENOUGH && scheduleWaiting(view, device, decisions, draft);
    if (draft.size() > 0) {
      decisions.start(draft, draft.tokens());
      return Round.SETTLED;
    }
    return room == Room.MADE || rejected ? Round.AGAIN : Round.SETTLED;
  }

  private Room scheduleRunning(EngineView view, int device, Decisions decisions, StepDraft draft) {
    SequenceQueue running = view.residents(device);
    Room room = Room.ENOUGH;
    for (int next = 0; next < running.size(); next++) {
      int budget = limits.maxNumBatchedTokens() - draft.tokens();
      if (budget == 0) {
        break;
      }
      Sequence sequence = running.get(next);
      int tokens = Math.min(Math.min(sequence.pendingTokens(), chunkMax), budget);
      if (tokens == 0) {
        continue;
      }
      while (draft.blocksFor(sequence, tokens) > draft.free()) {
        Sequence victim = running.get(running.size() - 1);
        if (victim.pinned()) {
          return Room.WANTING;
        }
        decisions.preempt(victim, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
        room = Room.MADE;
        if (victim == sequence) {
          return room;
        }
      }
      draft.add(sequence, tokens);
    }
    return room;
  }

  /// @return whether a request was turned away
  private boolean scheduleWaiting(
      EngineView view, int device, Decisions decisions, StepDraft draft) {
    SequenceQueue waiting = routing.waiting(view, device);
    boolean rejected = false;
    int seats = waiting.isEmpty() ? 0 : PromptStep.seats(view.residents(device));
    while (!waiting.isEmpty() && draft.tokens() < limits.maxNumBatchedTokens()) {
      Sequence sequence = waiting.get(0);
      int all = sequence.totalTokens();
      if (impossible(view, device, sequence)) {
        boolean turnedAway = turnAwayHeads(view, device, decisions, draft);
        rejected |= turnedAway;
        if (turnedAway) {
          continue;
        }
        break;
      }
      if (seats + sequence.seats() > limits.maxNumSeqs()) {
        break;
      }
      int reserved = draft.reserved(device);
      int kept = view.keptBlocks(sequence, device, reserved);
      int keptTokens = kept * kv.blockTokens();
      int budget = limits.maxNumBatchedTokens() - draft.tokens();
      if (!chunked && all - keptTokens > budget) {
        break;
      }
      int tokens = Math.min(Math.min(all - keptTokens, chunkMax), budget);
      int beyond = kv.blocks(reservePrompt ? all : keptTokens + tokens) - draft.free();
      if (kv.blocks(all) > view.pool(device).total()
          || (beyond > 0 && beyond > view.heldBlocks(sequence, device, kept, reserved))) {
        break;
      }
      decisions.admit(sequence, device, kept);
      draft.add(sequence, tokens);
      seats += sequence.seats();
    }
    return rejected;
  }

  /// Turns away what waits in front and could never run to its next token. One whose other samples
  /// are in use has to wait for that.
  private boolean turnAwayHeads(EngineView view, int device, Decisions decisions, StepDraft draft) {
    SequenceQueue waiting = routing.waiting(view, device);
    boolean rejected = false;
    while (!waiting.isEmpty()
        && impossible(view, device, waiting.get(0))
        && draft.canReject(view, waiting.get(0).request())) {
      Sequence sequence = waiting.get(0);
      int tokens = sequence.totalTokens();
      if (tokens > tokensMax) {
        decisions.reject(sequence.request(), RejectionReason.PROMPT_TOO_LONG, tokens, tokensMax);
      } else {
        decisions.reject(
            sequence.request(),
            RejectionReason.NEVER_FITS,
            kv.blocks(tokens),
            blocksMax(view, device));
      }
      rejected = true;
    }
    return rejected;
  }

  private boolean impossible(EngineView view, int device, Sequence sequence) {
    return sequence.totalTokens() > tokensMax
        || kv.blocks(sequence.totalTokens()) > blocksMax(view, device);
  }

  /// The most blocks that a sequence in the queue of `device` can ever have.
  private int blocksMax(EngineView view, int device) {
    return routing == Routing.SHARED ? blocksMax : view.pool(device).total();
  }
}
