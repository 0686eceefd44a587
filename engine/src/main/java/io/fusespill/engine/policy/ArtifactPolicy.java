package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.ArrayList;
import java.util.List;

/// The scheduler of the FuseSpill paper's published artifact: vLLM 0.2.7 on a main device, which
/// hands sequences over to an auxiliary one that only decodes.
///
/// KV goes from the main device to the host and on to the auxiliary device, or straight there where
/// the two are linked. It never comes back: what the auxiliary device cannot hold is recomputed on
/// the main one. Shares are constants, nothing is weighed. `docs/policies/fusespill-artifact.md`
/// has the rules, and what is guessed.
final class ArtifactPolicy implements SchedulingPolicy {

  /*
   * A sequence in a step in flight can neither be preempted nor moved, and an ordered copy needs a device without steps.
   * So whenever somebody has to go, or may come in, the device gets no further step until those in flight are done; then
   * everything that can move moves at once. Ordered copies hold up the next step, as the artifact's do.
   *
   * Each step of the main device yields a token for every prompt or every decode in it, so that preemption back and forth
   * ends; the auxiliary device decodes until somebody ends or it is alone and too big, and is then recomputed.
   */

  private static final String NAME = "fusespill-artifact";
  private static final int NOWHERE = Sequence.NOWHERE;

  /// Shares are kept in ten-thousandths.
  private static final long WHOLE = 10_000;

  private static final PolicyOption SPILL_SHARE =
      new PolicyOption(
          "spill-share",
          "0 to below 1 in steps of 0.0001",
          "0.2",
          "share of the sequences that are off the main device");
  private static final PolicyOption OFFLOAD_SHARE =
      new PolicyOption(
          "offload-share",
          "0 to below 1 in steps of 0.0001",
          "0.28",
          "share added to it when the auxiliary device is full; with the spill share below 1");
  private static final PolicyOption AUXILIARY_WATERMARKS =
      new PolicyOption(
          "auxiliary-watermarks",
          "0 to 1000",
          "6",
          "watermarks that stay free when the auxiliary device takes a sequence in");
  static final List<PolicyOption> OPTIONS =
      List.of(
          SPILL_SHARE,
          OFFLOAD_SHARE,
          AUXILIARY_WATERMARKS,
          PromptStep.MAX_PADDINGS,
          PromptStep.WATERMARK);

  private final EngineLimits limits;
  private final PromptStep prompts;
  private final int main;
  private final int auxiliary;
  private final int next;
  private final int mainWatermark;
  private final int auxiliaryReserve;
  private final int auxiliaryBlocks;
  private final long spillShare;
  private final long offloadShare;
  private final List<Sequence> order = new ArrayList<>();

  ArtifactPolicy(EngineConfig config, PolicyOptions options) {
    limits = config.limits();
    prompts = PromptStep.of(config.kv(), limits, options, NAME);
    spillShare = options.parts(SPILL_SHARE, WHOLE);
    offloadShare = options.parts(OFFLOAD_SHARE, WHOLE);
    if (spillShare + offloadShare >= WHOLE) {
      throw new PolicyException(
          "options spill-share and offload-share of policy %s add up to %d / %d, must be below 1"
              .formatted(NAME, spillShare + offloadShare, WHOLE));
    }
    double watermark = options.fraction(PromptStep.WATERMARK);
    int watermarks = options.integer(AUXILIARY_WATERMARKS, 0, 1_000);
    List<Place> devices = config.topology().places().stream().filter(Place::computes).toList();
    if (devices.size() > 2) {
      throw new PolicyException(
          "%d devices under policy %s, which knows a main and an auxiliary one: at most 2"
              .formatted(devices.size(), NAME));
    }
    main = devices.getFirst().id();
    mainWatermark = (int) (watermark * devices.getFirst().blocks());
    if (devices.size() == 1) {
      auxiliary = NOWHERE;
      next = NOWHERE;
      auxiliaryReserve = 0;
      auxiliaryBlocks = 0;
    } else {
      auxiliary = devices.getLast().id();
      next = wayTo(devices.getLast(), config.topology());
      auxiliaryBlocks = devices.getLast().blocks();
      auxiliaryReserve =
          Math.toIntExact(
              Math.min(auxiliaryBlocks, (long) watermarks * (int) (watermark * auxiliaryBlocks)));
    }
  }

  /// The place to which KV goes from the main device on its way to `device`.
  private int wayTo(Place device, Topology topology) {
    if (topology.linked(main, device.id())) {
      return device.id();
    }
    int host = topology.swapHost(main);
    boolean ordered =
        topology.place(main).kind() == PlaceKind.DEVICE && device.kind() == PlaceKind.DEVICE;
    if (host == NOWHERE || !ordered || !topology.linked(host, device.id())) {
      throw new PolicyException(
          "no way for KV from %s to %s under policy %s: link them, or give swap space to both"
              .formatted(topology.place(main).name(), device.name(), NAME));
    }
    return host;
  }

  /// It decodes a token at a time, and nothing comes back to the main device.
  @Override
  public boolean keeps(EngineView view, Sequence sequence) {
    return sequence.pendingTokens() <= 1
        && (sequence.place() == main || sequence.place() == auxiliary || sequence.place() == next);
  }

  /// A host where it is on the way.
  @Override
  public boolean uses(Place place, int samples) {
    return place.computes() || place.id() == next;
  }

  @Override
  public Round schedule(EngineView view, int device, Decisions decisions) {
    StepDraft draft = decisions.draft(device);
    return device == main
        ? scheduleMain(view, decisions, draft)
        : scheduleAuxiliary(view, decisions, draft);
  }

  // ------------------------------------------------------- the main device

  private Round scheduleMain(EngineView view, Decisions decisions, StepDraft draft) {
    if (auxiliary == NOWHERE || view.pool(auxiliary).free() > 0) {
      switch (prompts.start(
          view, main, view.waiting(), mainWatermark, need -> false, decisions, draft)) {
        case STARTED -> {
          return Round.SETTLED;
        }
        case IGNORED -> {
          return Round.AGAIN;
        }
        case NOTHING -> {}
      }
    }
    boolean idle = view.stepInFlight(main) == null;
    orderByKey(view);
    int moved = 0;
    while (moved < order.size() && unbalanced(view) && hasRoomBeside(view, order.get(moved))) {
      if (!idle) {
        return Round.SETTLED;
      }
      send(order.get(moved++), PreemptionKind.OFFLOAD, PreemptionReason.OFFLOADED, decisions);
    }
    int end = order.size();
    for (int i = moved; i < end && draft.size() < limits.maxNumSeqs(); i++) {
      Sequence sequence = order.get(i);
      if (!decodes(sequence, view.lengths())) {
        continue;
      }
      while (draft.free() == 0 && i < end && view.pool(main).leaving() == 0) {
        if (!idle) {
          return Round.SETTLED;
        }
        giveUp(view, order.get(--end), decisions);
      }
      if (i < end && draft.free() > 0) {
        draft.add(sequence, 1);
      }
    }
    return conclude(view, draft, moved > 0 || end < order.size(), decisions);
  }

  /// Puts what runs on the main device into `order`, most expected tokens for each token held
  /// first; who arrived first where that is equal. Where nobody has to go, the order of admission
  /// does.
  private void orderByKey(EngineView view) {
    SequenceQueue running = view.residents(main);
    order.clear();
    for (int i = 0; i < running.size(); i++) {
      order.add(running.get(i));
    }
    if (view.pool(main).free() < running.size() || unbalanced(view)) {
      record Keyed(Sequence sequence, long key) {}
      List<Keyed> keyed = new ArrayList<>(order.size());
      for (Sequence sequence : order) {
        keyed.add(new Keyed(sequence, VictimOrder.perToken(sequence, view.lengths())));
      }
      keyed.sort((a, b) ->
          a.key() != b.key()
              ? Long.compare(b.key(), a.key())
              : Integer.compare(a.sequence().id(), b.sequence().id()));
      order.clear();
      keyed.forEach(each -> order.add(each.sequence()));
    }
  }

  /// Whether the main device runs more than its share: `running > ratio × away` with `ratio =
  /// (usage · offload + spill) / (1 − spill − offload)`, where usage is the share of the auxiliary
  /// device's blocks in use.
  private boolean unbalanced(EngineView view) {
    if (auxiliary == NOWHERE) {
      return false;
    }
    long total = auxiliaryBlocks;
    long used = total - view.pool(auxiliary).free();
    long ratio = used * offloadShare + total * spillShare;
    long running = view.residents(main).size();
    return running * total * (WHOLE - spillShare - offloadShare) > ratio * away(view);
  }

  /// Sequences that decode on the auxiliary device, wait on the host, or are under way.
  private int away(EngineView view) {
    int away = view.residents(auxiliary).size() + view.seatsInto(auxiliary);
    return next == auxiliary ? away : away + view.residents(next).size();
  }

  /// Whether the auxiliary device would take the sequence in beside those that wait for it, and the
  /// host has room on the way.
  private boolean hasRoomBeside(EngineView view, Sequence sequence) {
    int blocks = need(sequence);
    if (next != auxiliary) {
      if (view.pool(next).free() < sequence.table().size()) {
        return false;
      }
      SequenceQueue waiting = view.residents(next);
      for (int i = 0; i < waiting.size(); i++) {
        blocks += need(waiting.get(i));
      }
    }
    return takesIn(view.pool(auxiliary).free(), blocks)
        && away(view) + sequence.seats() <= limits.maxNumSeqs();
  }

  private boolean takesIn(int free, int need) {
    return free - need >= auxiliaryReserve;
  }

  /// Its blocks, and one for its next token.
  private static int need(Sequence sequence) {
    return sequence.table().size() + 1;
  }

  /// Takes the sequence off the main device: to the host or the auxiliary device where that can
  /// come to anything, else by recompute.
  private void giveUp(EngineView view, Sequence sequence, Decisions decisions) {
    boolean sent =
        next == auxiliary
            ? auxiliary != NOWHERE && hasRoomBeside(view, sequence)
            : takesIn(auxiliaryBlocks, need(sequence))
                && view.pool(next).free() >= sequence.table().size();
    if (sent) {
      send(sequence, PreemptionKind.SWAP, PreemptionReason.OUT_OF_BLOCKS, decisions);
    } else {
      decisions.preempt(sequence, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
    }
  }

  private void send(
      Sequence sequence, PreemptionKind kind, PreemptionReason reason, Decisions decisions) {
    decisions.preempt(sequence, kind, reason);
    TransferMode mode = next == auxiliary ? TransferMode.ASYNC : TransferMode.ORDERED;
    decisions.transfer(main, next, mode, Ints.of(sequence.id()));
  }

  // -------------------------------------------------- the auxiliary device

  private Round scheduleAuxiliary(EngineView view, Decisions decisions, StepDraft draft) {
    boolean idle = view.stepInFlight(auxiliary) == null;
    SequenceQueue running = view.residents(auxiliary);
    decisions.sortResidents(auxiliary);
    boolean preempted = false;
    for (int i = 0; i < running.size() && draft.size() < limits.maxNumSeqs(); i++) {
      Sequence sequence = running.get(i);
      if (!decodes(sequence, view.lengths())) {
        continue;
      }
      while (draft.free() == 0 && i < running.size()) {
        if (!idle) {
          return Round.SETTLED;
        }
        recompute(running.get(running.size() - 1), decisions);
        preempted = true;
      }
      if (i < running.size()) {
        draft.add(sequence, 1);
      }
    }
    boolean changed = preempted;
    if (next != auxiliary && !preempted) {
      SequenceQueue waiting = view.residents(next);
      decisions.sortResidents(next);
      while (!waiting.isEmpty() && !waiting.get(0).pinned()) {
        Sequence sequence = waiting.get(0);
        if (!takesIn(auxiliaryBlocks, need(sequence))) {
          recompute(sequence, decisions);
          changed = true;
          continue;
        }
        if (!takesIn(draft.free(), need(sequence))
            || PromptStep.seats(running) + sequence.seats() > limits.maxNumSeqs()) {
          break;
        }
        if (!idle) {
          return changed ? Round.AGAIN : Round.SETTLED;
        }
        decisions.transfer(next, auxiliary, TransferMode.ORDERED, Ints.of(sequence.id()));
        draft.add(sequence, 1);
      }
    }
    return conclude(view, draft, changed, decisions);
  }

  private static void recompute(Sequence sequence, Decisions decisions) {
    decisions.preempt(sequence, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
  }

  // ------------------------------------------------------------------ both

  /// Whether a step may decode the sequence: not where the last token that it is expected to
  /// produce is in flight.
  private static boolean decodes(Sequence sequence, LengthPredictor lengths) {
    int placeholders = sequence.plannedTotalTokens() - sequence.totalTokens();
    return sequence.pendingTokens() > 0
        && (placeholders == 0 || placeholders < VictimOrder.remaining(sequence, lengths));
  }

  private static Round conclude(
      EngineView view, StepDraft draft, boolean changed, Decisions decisions) {
    if (draft.size() > 0 || !view.orderedPlanned(draft.device()).isEmpty()) {
      decisions.start(draft, draft.size());
      return Round.SETTLED;
    }
    return changed ? Round.AGAIN : Round.SETTLED;
  }
}
