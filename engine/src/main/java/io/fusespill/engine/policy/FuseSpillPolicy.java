package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.cost.CostEstimator;
import io.fusespill.engine.cost.StepLoad;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.ArrayList;
import java.util.List;

/// FuseSpill's own scheduler: continuous batching that keeps memory full of sequences that decode,
/// and handles those for which there is no room as is estimated to cost the device least.
///
/// Prefill rides along with the weights that decoding reads anyway. Before blocks run out, a victim
/// is chosen and every way to handle it is weighed ([HandlingWeigher]); copies run beside the
/// steps. A host that attends decodes sequences whose KV lies there, as many as its time allows to
/// hide behind the device's own attention. `docs/policies/fusespill.md` has the whole of it.
final class FuseSpillPolicy implements SchedulingPolicy {

  /*
   * One round, in the order of the code:
   *
   *   turn away what can never run, and from the device what it is too small for
   *   carry out what was chosen before, where the sequence is free at last
   *   choose victims until the next steps' growth fits
   *   draft: decodes, oldest first; prefill chunks; then host rows that are worth their time
   *   bring back, with leftovers only, the oldest that rests and was not drafted
   *   admit, if nobody older rests and nobody had to go
   *   move ahead: offload one sequence more where that raises the token rate (ProactiveOffload)
   *
   * Nothing is kept between rounds but in the state: a choice (HandlingChosen) marks its sequence until it is carried
   * out, because the sequence may be in steps in flight. The oldest resident is never a victim, blocks that leave are not
   * free, and resting sequences come back only into what is left over: so somebody always progresses.
   */

  static final List<PolicyOption> OPTIONS = SpillOptions.ALL;

  private static final int LOOK_AHEAD_STEPS = 1;

  /// Prefill tokens for a device that is empty, in multiples of the ridge, beside those that ride
  /// along.
  private static final int FILL_GAIN = 8;

  private final SpillOptions options;
  private final KvLayout kv;
  private final EngineLimits limits;
  private final Topology topology;
  private final CostEstimator estimator;
  private final Hosts hosts;
  private final Scenes scenes;
  private final MemoryDemand demand;
  private final SampleGroups groups;
  private final Victims victims;
  private final ReturnPath way;
  private final ProactiveOffload ahead;
  private final Admission admission;
  private final StepLoad load = new StepLoad();
  private final PromptDraft prefills;
  private final List<Sequence> remote = new ArrayList<>();
  private final int lookAhead;

  FuseSpillPolicy(EngineConfig config, PolicyOptions given) {
    options = SpillOptions.of(given);
    kv = config.kv();
    limits = config.limits();
    topology = config.topology();
    if (config.costs().isEmpty()) {
      throw new PolicyException("policy fusespill estimates costs, but the configuration has none");
    }
    estimator = new CostEstimator(config);
    lookAhead = LOOK_AHEAD_STEPS + limits.maxStepsInFlight();
    hosts = new Hosts(topology, options.attention());
    demand = new MemoryDemand(config, lookAhead);
    scenes = new Scenes(topology, estimator, hosts, demand);
    HandlingWeigher weigher = new HandlingWeigher(options, config, estimator, hosts, scenes);
    groups = new SampleGroups(options.prefixCaching());
    ahead = new ProactiveOffload(options, config, hosts, scenes, weigher, groups, estimator);
    victims = new Victims(options, kv, weigher, groups, lookAhead);
    way = new ReturnPath(config, hosts, scenes, demand, groups, estimator, lookAhead);
    prefills = new PromptDraft(kv, load);
    admission = new Admission(options, config, hosts, scenes, demand, way, lookAhead);
  }

  /// It brings back what lies on a host beside a device, or on the disk behind that.
  @Override
  public boolean keeps(EngineView view, Sequence sequence) {
    int at = sequence.place();
    for (Place place : topology.places()) {
      if (!place.computes()) {
        continue;
      }
      int host = hosts.swapping(place.id());
      if (at == place.id() || (host >= 0 && (at == host || at == hosts.disk(host)))) {
        return true;
      }
    }
    return false;
  }

  /// The host beside a device, and the disk behind that.
  @Override
  public boolean uses(Place place, int samples) {
    return place.computes()
        || topology.places().stream()
            .filter(Place::computes)
            .map(device -> hosts.swapping(device.id()))
            .anyMatch(host -> place.id() == host || place.id() == hosts.disk(host));
  }

  @Override
  public Round schedule(EngineView view, int device, Decisions decisions) {
    StepDraft draft = decisions.draft(device);
    boolean changed = admission.turnAwayHeads(view, decisions, draft);
    decisions.sortResidents(device);
    changed |= leaveOutgrown(view, device, decisions);
    changed |= carryOut(view, device, decisions);
    Scene scene = scenes.of(view, device);
    boolean lacking = victims.makeRoom(scene, decisions);
    changed |= lacking && carryOut(view, device, decisions);
    load.clear();
    draftDecodes(view, device, draft);
    int budget = prefillBudget(scene, draft);
    budget = draftPrefills(view, device, draft, budget);
    boolean resting = chooseRemote(scene, draft);
    if (resting) {
      changed |= way.bringBack(scene, decisions, draft, remote);
    }
    if (!lacking && !resting) {
      changed |= admission.admit(scene, decisions, draft, prefills, remote.size(), budget);
    }
    boolean seatsTaken = draft.size() + remote.size() >= limits.maxNumSeqs();
    if (options.proactive() && !lacking && !seatsTaken) {
      changed |= ahead.move(scene, demand.wanted(view, device), decisions);
    }
    for (Sequence sequence : remote) {
      if (draft.size() < limits.maxNumSeqs()
          && draft.tokens() < limits.maxNumBatchedTokens()
          && draft.canAddRemote(sequence)) {
        draft.addRemote(sequence);
      }
    }
    if (draft.size() > 0) {
      decisions.start(draft, draft.tokens());
      return Round.SETTLED;
    }
    if (changed || unblock(view, device, decisions, draft)) {
      return Round.AGAIN;
    }
    return Round.SETTLED;
  }

  // -------------------------------------------------------------- leaving

  /// Has the oldest leave a device that is too small for its next token, even alone: a host may
  /// attend for it, or another device be larger.
  private boolean leaveOutgrown(EngineView view, int device, Decisions decisions) {
    SequenceQueue running = view.residents(device);
    if (running.isEmpty()) {
      return false;
    }
    Sequence oldest = running.get(0);
    if (oldest.intent() != null
        || oldest.pinned()
        || kv.blocks(oldest.totalTokens()) <= view.pool(device).total()) {
      return false;
    }
    int host = hosts.attending(device);
    if (!Scenes.isDecode(oldest)
        || !send(view, decisions, groups.single(view, oldest), host, Handling.OFFLOAD_ATTENTION)) {
      decisions.preempt(oldest, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
    }
    return true;
  }

  /// Does what was chosen for sequences that no step uses any more; samples that share blocks go
  /// when none of them is used.
  private boolean carryOut(EngineView view, int device, Decisions decisions) {
    SequenceQueue running = view.residents(device);
    boolean changed = false;
    for (int i = running.size() - 1; i >= 0; i = Math.min(i, running.size()) - 1) {
      Sequence sequence = running.get(i);
      if (sequence.intent() != null && !sequence.pinned()) {
        SampleGroup group = groups.chosen(view, sequence);
        if (!group.pinned()) {
          changed |= carryOut(view, device, decisions, group, sequence.intent());
        }
      }
    }
    return changed;
  }

  private boolean carryOut(
      EngineView view, int device, Decisions decisions, SampleGroup group, Handling intent) {
    int host = hosts.swapping(device);
    int target = group.oldest().intentPlace();
    switch (intent) {
      case SWAP, OFFLOAD_ATTENTION -> {
        if (send(view, decisions, group, target, intent)) {
          return true;
        }
      }
      case OFFLOAD_DECODE -> {
        boolean direct = topology.linked(device, target);
        if (send(view, decisions, group, direct ? target : host, intent)) {
          return true;
        }
      }
      case SPILL -> {
        if (host >= 0 && view.pool(host).free() >= group.blocks()) {
          return send(view, decisions, group, host, intent);
        }
        if (way.makeHostRoom(view, host, decisions)) {
          return false;
        }
      }
      case RECOMPUTE, STAY -> {}
    }
    for (Sequence member : group.members().reversed()) {
      decisions.preempt(member, PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
    }
    return true;
  }

  private static boolean send(
      EngineView view, Decisions decisions, SampleGroup group, int target, Handling intent) {
    if (target < 0 || group.blocks() == 0 || view.pool(target).free() < group.blocks()) {
      return false;
    }
    boolean offload = intent == Handling.OFFLOAD_ATTENTION || intent == Handling.OFFLOAD_DECODE;
    int from = group.oldest().place();
    for (Sequence member : group.members()) {
      decisions.preempt(
          member,
          offload ? PreemptionKind.OFFLOAD : PreemptionKind.SWAP,
          offload ? PreemptionReason.OFFLOADED : PreemptionReason.OUT_OF_BLOCKS);
    }
    decisions.transfer(from, target, TransferMode.ASYNC, group.ids());
    return true;
  }

  // ---------------------------------------------------------------- draft

  private void draftDecodes(EngineView view, int device, StepDraft draft) {
    SequenceQueue running = view.residents(device);
    for (int i = 0; i < running.size() && draft.size() < limits.maxNumSeqs(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null
          && Scenes.isDecode(sequence)
          && draft.blocksFor(sequence, 1) <= draft.free()
          && draft.tokens() < limits.maxNumBatchedTokens()) {
        load.addDecode(sequence.plannedComputedTokens());
        draft.add(sequence, 1);
      }
    }
  }

  /// Prefill tokens for this step. A few ride along with the weights; the more there are, the more
  /// each costs, but the longer they take, the longer memory stands empty for them. The best number
  /// grows with the root of the share that is free. Where much is, each token costs its arithmetic
  /// anyway, and all that counts is to fill it.
  private int prefillBudget(Scene scene, StepDraft draft) {
    int most = limits.maxNumBatchedTokens() - draft.tokens();
    if (options.prefillBudget() > 0) {
      return Math.min(most, options.prefillBudget());
    }
    double ridge = estimator.ridgeTokens(scene.device());
    double share = (double) Math.max(0, draft.free()) / scene.view().pool(scene.device()).total();
    double tokens = ridge * (Math.sqrt(2 * share) + FILL_GAIN * share * share);
    return (int) Math.min(most, Math.max(kv.blockTokens(), tokens));
  }

  private int draftPrefills(EngineView view, int device, StepDraft draft, int budget) {
    SequenceQueue running = view.residents(device);
    int left = budget;
    for (int i = 0; i < running.size() && left > 0 && draft.size() < limits.maxNumSeqs(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null && !Scenes.isDecode(sequence) && sequence.pendingTokens() > 0) {
        left -= prefills.add(sequence, draft, left);
      }
    }
    return left;
  }

  /// Chooses the host's rows for this step, in the order in which they came there: each that pays,
  /// as long as the step has seats, which nobody new gets before them.
  ///
  /// @return whether somebody rests on the host, or beyond, who is in no step
  private boolean chooseRemote(Scene scene, StepDraft draft) {
    remote.clear();
    EngineView view = scene.view();
    int swap = hosts.swapping(scene.device());
    if (swap < 0) {
      return false;
    }
    int host = hosts.attending(scene.device());
    SequenceQueue resting = view.residents(swap);
    int disk = hosts.disk(swap);
    boolean left = disk >= 0 && !view.residents(disk).isEmpty();
    if (resting.isEmpty()) {
      return left;
    }
    long nanos = host < 0 ? 0 : estimator.stepNanos(scene.device(), load, host, scene.sharing());
    boolean spacious = spacious(view, scene.device(), draft);
    boolean waited = demand.wanted(view, scene.device());
    int localRows = scene.localRows();
    for (int i = 0; i < resting.size(); i++) {
      Sequence sequence = resting.get(i);
      if (sequence.pendingTokens() == 0 || way.expectedElsewhere(view, sequence, scene.device())) {
        continue;
      }
      if (host == swap
          && Scenes.usableBy(sequence, scene.device())
          && draft.canAddRemote(sequence)
          && draft.size() + remote.size() < limits.maxNumSeqs()
          && !(spacious
              && way.hasRoomFor(
                  view, scene.device(), draft, groups.single(view, sequence), lookAhead))) {
        load.addRemote(sequence.plannedComputedTokens());
        long with = estimator.stepNanos(scene.device(), load, host, scene.sharing());
        if (nanos == 0
            || Scenes.pays(
                with - nanos, nanos, load, localRows, sequence.plannedComputedTokens(), waited)) {
          nanos = with;
          remote.add(sequence);
          continue;
        }
        load.removeRemote(sequence.plannedComputedTokens());
      }
      left |= !sequence.pinned();
    }
    return left;
  }

  /// Whether the device has room for guests although nobody waits: then those on the host come
  /// back.
  private boolean spacious(EngineView view, int device, StepDraft draft) {
    return !demand.somebodyWaits(view, device) && MemoryDemand.ample(view, device, draft.free());
  }

  // -------------------------------------------------------------- liveness

  /// Where nothing moves anywhere and nobody could be drafted, the newest gives way.
  private boolean unblock(EngineView view, int device, Decisions decisions, StepDraft draft) {
    if (!nothingMoves(view)) {
      return false;
    }
    SequenceQueue running = view.residents(device);
    for (int i = running.size() - 1; i >= 0; i--) {
      if (!running.get(i).pinned()) {
        decisions.preempt(running.get(i), PreemptionKind.RECOMPUTE, PreemptionReason.OUT_OF_BLOCKS);
        return true;
      }
    }
    return way.unblock(view, device, decisions, draft);
  }

  private boolean nothingMoves(EngineView view) {
    for (Place place : topology.places()) {
      if (view.stepInFlight(place.id()) != null) {
        return false;
      }
    }
    return view.transfersInFlight() == 0;
  }
}
