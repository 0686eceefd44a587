package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Request;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import io.fusespill.engine.state.SequenceStatus;
import java.util.List;
import java.util.stream.IntStream;

/// The scheduler of vLLM 0.2.7, step for step (`vllm/core/scheduler.py`, `block_manager.py` at
/// commit 2e0b6e7).
///
/// A step either prefills newly admitted prompts, padded to the longest, or decodes everything that
/// runs. Prompts come first whenever nothing is swapped out. When the next tokens do not fit, the
/// newest request is preempted: by recompute where it has one sequence, by swap where it has
/// several.
///
/// Where 0.2.7 drops a request silently, aborts the engine or waits for ever, this policy rejects
/// that request.
final class VllmPolicy implements SchedulingPolicy {

  /*
   * vLLM schedules groups: a request with its samples. Here a group is a run of neighbouring residents of one request,
   * which is the same thing: samples fork beside their parent and move together.
   */

  /// How a preempted request's KV is handled.
  enum Preemption {
    /// As 0.2.7 chooses: recompute for one sequence, swap for several.
    AUTO,
    RECOMPUTE,
    SWAP
  }

  private static final PolicyOption PREEMPTION =
      new PolicyOption(
          "preemption",
          "auto, recompute or swap",
          "auto",
          "how preempted KV is handled; auto: recompute for one sequence, swap for several");
  static final List<PolicyOption> OPTIONS =
      List.of(PREEMPTION, PromptStep.MAX_PADDINGS, PromptStep.WATERMARK, Routing.OPTION);

  private final EngineLimits limits;
  private final Topology topology;
  private final Preemption preemption;
  private final PromptStep prompts;
  private final int[] watermarkBlocks;
  private final int[] swapHost;
  private final Routing routing;

  VllmPolicy(EngineConfig config, PolicyOptions options) {
    limits = config.limits();
    topology = config.topology();
    prompts = PromptStep.of(config.kv(), limits, options, "vllm-0.2.7");
    if (limits.maxStepsInFlight() != 1) {
      throw new PolicyException(
          "depth is %d, must be 1 under vllm-0.2.7, which knows no step before its result"
              .formatted(limits.maxStepsInFlight()));
    }
    preemption = options.constant(PREEMPTION, Preemption.class);
    routing = options.constant(Routing.OPTION, Routing.class);
    double watermark = options.fraction(PromptStep.WATERMARK);
    watermarkBlocks = new int[topology.places().size()];
    swapHost = new int[topology.places().size()];
    for (Place place : topology.places()) {
      watermarkBlocks[place.id()] = (int) (watermark * place.blocks());
      swapHost[place.id()] = topology.swapHost(place.id());
      if (place.computes() && preemption == Preemption.SWAP && swapHost[place.id()] < 0) {
        throw new PolicyException(
            "option preemption of policy vllm-0.2.7 is 'swap', but %s has no host to swap to; give it swap space"
                .formatted(place.name()));
      }
    }
  }

  @Override
  public void route(EngineView view, Decisions decisions) {
    routing.route(view, decisions);
  }

  /// It decodes a token at a time, and brings back what lies on a host beside a device that may
  /// have it.
  @Override
  public boolean keeps(EngineView view, Sequence sequence) {
    if (sequence.pendingTokens() > 1) {
      return false;
    }
    if (sequence.status() == SequenceStatus.RUNNING) {
      return routing == Routing.SHARED || sequence.home() == sequence.place();
    }
    for (Place place : topology.places()) {
      if (place.computes()
          && swapHost[place.id()] == sequence.place()
          && routing.mayTake(sequence, place.id())) {
        return true;
      }
    }
    return false;
  }

  /// It swaps to the host beside a device.
  @Override
  public boolean uses(Place place, int samples) {
    boolean swaps = preemption == Preemption.SWAP || (preemption == Preemption.AUTO && samples > 1);
    return place.computes()
        || (swaps && IntStream.of(swapHost).anyMatch(host -> host == place.id()));
  }

  @Override
  public Round schedule(EngineView view, int device, Decisions decisions) {
    StepDraft draft = decisions.draft(device);
    if (oldestSwapped(view, device) < 0) {
      switch (startPrompts(view, device, decisions, draft)) {
        case STARTED -> {
          return Round.SETTLED;
        }
        case IGNORED -> {
          return Round.AGAIN;
        }
        case NOTHING -> {}
      }
    }
    return decode(view, device, decisions, draft);
  }

  private PromptStep.Outcome startPrompts(
      EngineView view, int device, Decisions decisions, StepDraft draft) {
    return prompts.start(
        view,
        device,
        routing.waiting(view, device),
        watermarkBlocks[device],
        need -> fitsElsewhere(need, device),
        decisions,
        draft);
  }

  private boolean fitsElsewhere(int need, int device) {
    for (Place place : topology.places()) {
      if (routing == Routing.SHARED
          && place.computes()
          && place.id() != device
          && need <= place.blocks() - watermarkBlocks[place.id()]) {
        return true;
      }
    }
    return false;
  }

  // ---------------------------------------------------------------- decode

  private Round decode(EngineView view, int device, Decisions decisions, StepDraft draft) {
    SequenceQueue running = view.residents(device);
    decisions.sortResidents(device);
    boolean preempted = false;
    int next = 0;
    while (next < running.size()) {
      int group = groupSize(running, next);
      if (group <= draft.free()) {
        for (int i = 0; i < group; i++) {
          draft.add(running.get(next++), 1);
        }
      } else {
        preempted = true;
        preemptLast(view, device, decisions, draft);
      }
    }
    boolean rejected = false;
    if (oldestSwapped(view, device) >= 0) {
      decisions.sortResidents(swapHost[device]);
      if (!preempted) {
        rejected = swapIn(view, device, decisions, draft);
      }
    }
    if (draft.size() > 0 || swappedOut(view, device, preempted)) {
      decisions.start(draft, draft.size());
      return Round.SETTLED;
    }
    return preempted || rejected ? Round.AGAIN : Round.SETTLED;
  }

  /// Sequences from `index` on that belong to one request.
  private static int groupSize(SequenceQueue queue, int index) {
    Request request = queue.get(index).request();
    int end = index + 1;
    while (end < queue.size() && queue.get(end).request() == request) {
      end++;
    }
    return end - index;
  }

  /// Preempts the group at the tail, which is the newest to have arrived.
  private void preemptLast(EngineView view, int device, Decisions decisions, StepDraft draft) {
    SequenceQueue running = view.residents(device);
    Request request = running.get(running.size() - 1).request();
    int first = running.size() - 1;
    while (first > 0 && running.get(first - 1).request() == request) {
      first--;
    }
    int size = running.size() - first;
    boolean swap = preemption == Preemption.SWAP || (preemption == Preemption.AUTO && size > 1);
    if (!swap || swapHost[device] < 0) {
      recompute(running, size, decisions);
      return;
    }
    int[] ids = new int[size];
    for (int i = 0; i < size; i++) {
      ids[i] = running.get(first + i).id();
    }
    Ints group = Ints.of(ids);
    int need = decisions.distinctBlocks(group);
    int free = view.pool(swapHost[device]).free();
    if (need > free) {
      if (request.liveSequences() > size && !draft.canReject(view, request)) {
        recompute(running, size, decisions);
        return;
      }
      decisions.reject(request, RejectionReason.SWAP_SPACE_EXHAUSTED, need, free);
      return;
    }
    for (int i = 0; i < size; i++) {
      decisions.preempt(
          running.get(first + i), PreemptionKind.SWAP, PreemptionReason.OUT_OF_BLOCKS);
    }
    decisions.transfer(device, swapHost[device], TransferMode.ORDERED, group);
  }

  private static void recompute(SequenceQueue running, int size, Decisions decisions) {
    for (int i = 0; i < size; i++) {
      decisions.preempt(
          running.get(running.size() - 1),
          PreemptionKind.RECOMPUTE,
          PreemptionReason.OUT_OF_BLOCKS);
    }
  }

  /// Brings swapped groups back, oldest first, and lets them decode in this very step.
  ///
  /// @return whether a request was turned away because it can never come back
  private boolean swapIn(EngineView view, int device, Decisions decisions, StepDraft draft) {
    SequenceQueue swapped = view.residents(swapHost[device]);
    int seats = PromptStep.seats(view.residents(device));
    for (int first = oldestSwapped(view, device); first >= 0; first = oldestSwapped(view, device)) {
      int size = groupSize(swapped, first);
      int[] ids = new int[size];
      for (int i = 0; i < size; i++) {
        if (swapped.get(first + i).pinned()) {
          return false;
        }
        ids[i] = swapped.get(first + i).id();
      }
      Ints group = Ints.of(ids);
      int need = decisions.distinctBlocks(group) + size;
      if (draft.free() - need < watermarkBlocks[device]) {
        int usable = view.pool(device).total() - watermarkBlocks[device];
        Request request = swapped.get(first).request();
        boolean alone = draft.canReject(view, request);
        if (need > usable && alone && !fitsElsewhere(need, device)) {
          decisions.reject(request, RejectionReason.NEVER_FITS, need, usable);
          return true;
        }
        return false;
      }
      if (seats + size > limits.maxNumSeqs()) {
        return false;
      }
      decisions.transfer(swapHost[device], device, TransferMode.ORDERED, group);
      for (int i = 0; i < size; i++) {
        Sequence sequence = view.sequence(ids[i]);
        if (sequence != null) {
          draft.add(sequence, 1);
        }
      }
      seats += size;
    }
    return false;
  }

  /// Index among those on the device's host of the first that the device may bring back, or -1.
  private int oldestSwapped(EngineView view, int device) {
    if (swapHost[device] < 0) {
      return -1;
    }
    SequenceQueue swapped = view.residents(swapHost[device]);
    for (int i = 0; i < swapped.size(); i++) {
      if (routing.mayTake(swapped.get(i), device)) {
        return i;
      }
    }
    return -1;
  }

  /// Whether copies wait for a step although nothing is left to compute.
  private static boolean swappedOut(EngineView view, int device, boolean preempted) {
    return preempted && !view.orderedPlanned(device).isEmpty();
  }
}
