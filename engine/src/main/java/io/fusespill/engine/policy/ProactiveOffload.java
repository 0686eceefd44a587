package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.cost.CostEstimator;
import io.fusespill.engine.cost.StepLoad;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Moves sequences before room is lacking, one at a time, where that raises the token rate: while
/// somebody waits for the device's memory, to the host that attends; while nobody waits, to another
/// device with its own weights.
final class ProactiveOffload {

  private static final int MILLION = 1_000_000;
  private static final long SECOND_NANOS = 1_000_000_000L;

  private final SpillOptions options;
  private final Topology topology;
  private final KvLayout kv;
  private final EngineLimits limits;
  private final Hosts hosts;
  private final Scenes scenes;
  private final HandlingWeigher weigher;
  private final SampleGroups groups;
  private final CostEstimator estimator;
  private final boolean alone;

  ProactiveOffload(
      SpillOptions options,
      EngineConfig config,
      Hosts hosts,
      Scenes scenes,
      HandlingWeigher weigher,
      SampleGroups groups,
      CostEstimator estimator) {
    this.options = options;
    this.topology = config.topology();
    this.kv = config.kv();
    this.limits = config.limits();
    this.hosts = hosts;
    this.scenes = scenes;
    this.weigher = weigher;
    this.groups = groups;
    this.estimator = estimator;
    this.alone = topology.places().stream().filter(Place::computes).count() == 1;
  }

  /// @param memoryWanted whether somebody waits for the device's memory
  /// @return whether a sequence was marked
  boolean move(Scene scene, boolean memoryWanted, Decisions decisions) {
    return memoryWanted ? moveToHost(scene, decisions) : moveToDevice(scene, decisions);
  }

  /// The decode with the most expected tokens for each that it holds, of those that have not moved
  /// for a horizon, with the samples that share blocks with it; null while another is marked.
  private @Nullable SampleGroup longest(Scene scene) {
    EngineView view = scene.view();
    SequenceQueue running = view.residents(scene.device());
    Sequence best = null;
    long bestKey = 0;
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() != null) {
        return null;
      }
      if (weigher.settled(scene, sequence) && Scenes.isDecode(sequence)) {
        long key = VictimOrder.perToken(sequence, view.lengths());
        if (best == null || key > bestKey) {
          best = sequence;
          bestKey = key;
        }
      }
    }
    return best == null ? null : groups.leaving(view, scene.device(), best);
  }

  // ------------------------------------------------------ to another device

  private boolean moveToDevice(Scene scene, Decisions decisions) {
    if (alone || !options.offload() || passing(scene)) {
      return false;
    }
    SampleGroup group = longest(scene);
    if (group == null) {
      return false;
    }
    int remaining = VictimOrder.remaining(group, scene.view().lengths());
    List<HandlingEstimate> estimates = weigher.weigh(scene, group, remaining, false);
    int chosen = -1;
    double best = 0;
    for (int i = 0; i < estimates.size(); i++) {
      HandlingEstimate estimate = estimates.get(i);
      if (estimate.handling() == Handling.OFFLOAD_DECODE
          && scene.view().seatsInto(estimate.place()) == 0) {
        double gain = gain(scene, group, remaining, estimate);
        if (gain > best) {
          chosen = i;
          best = gain;
        }
      }
    }
    if (chosen < 0) {
      return false;
    }
    groups.mark(scene, group, estimates, chosen, decisions);
    return true;
  }

  /// Whether a sequence is on its way already, or rests on the host until another device takes it.
  private boolean passing(Scene scene) {
    EngineView view = scene.view();
    int host = hosts.swapping(scene.device());
    if (host < 0) {
      return false;
    }
    SequenceQueue resting = view.residents(host);
    for (int i = 0; i < resting.size(); i++) {
      if (resting.get(i).intent() == Handling.OFFLOAD_DECODE) {
        return true;
      }
    }
    return view.blocksInTransit(scene.device(), host) > 0;
  }

  /// Tokens that both devices together produce more while the group lives, less what it loses
  /// itself while it is copied; 0 where the rate rises by less than the hysteresis, as a share of
  /// what one sequence gets here.
  private double gain(Scene scene, SampleGroup group, int remaining, HandlingEstimate estimate) {
    Scene there = scenes.of(scene.view(), estimate.place());
    double before = rate(scene, scene.stepNanos()) + rate(there, there.stepNanos());
    long lifeNanos = HandlingWeigher.times(remaining, scene.stepNanos());
    for (Sequence member : group.members()) {
      scene.load().removeDecode(member.plannedComputedTokens());
      there.load().addDecode(member.plannedComputedTokens());
    }
    long joinedNanos = scenes.nanos(there);
    double after = rate(scene, scenes.nanos(scene)) + rate(there, joinedNanos);
    for (Sequence member : group.members()) {
      scene.load().addDecode(member.plannedComputedTokens());
    }
    double more = after - before;
    if (more * scene.stepNanos() * 1_000 <= (double) options.hysteresisPermille() * group.size()) {
      return 0;
    }
    double copyNanos = (double) lifeNanos - estimate.freeNanos();
    return more * remaining * joinedNanos - group.size() * copyNanos / scene.stepNanos();
  }

  private static double rate(Scene scene, long stepNanos) {
    return (double) scene.load().rows() / Math.max(1, stepNanos);
  }

  // ------------------------------------------------- to the host that attends

  private boolean moveToHost(Scene scene, Decisions decisions) {
    int device = scene.device();
    int host = hosts.attending(device);
    if (host < 0 || scene.view().blocksInTransit(device, host) > 0) {
      return false;
    }
    chooseShare(scene, host, decisions);
    SampleGroup group = longest(scene);
    return group != null && !aboveShare(scene, device) && offload(scene, group, host, decisions);
  }

  private static boolean aboveShare(Scene scene, int device) {
    long remote = scene.load().remoteContext();
    long all = scene.load().context() + remote;
    return remote * MILLION >= all * scene.view().sharePpm(device);
  }

  private boolean offload(Scene scene, SampleGroup group, int host, Decisions decisions) {
    int remaining = VictimOrder.remaining(group, scene.view().lengths());
    List<HandlingEstimate> estimates = weigher.weigh(scene, group, remaining, false);
    int chosen = -1;
    for (int i = 0; i < estimates.size(); i++) {
      if (estimates.get(i).handling() == Handling.OFFLOAD_ATTENTION) {
        chosen = i;
      }
    }
    if (chosen < 0) {
      return false;
    }
    long copy = estimator.copyNanos(scene.device(), host, group.blocks());
    long worth = HandlingWeigher.times(remaining, group.size() * scene.tokenWorth());
    int context = HandlingWeigher.meanContext(group.oldest(), remaining);
    long added = Math.max(0, scenes.addedNanos(scene, context, group.size()));
    long cost = HandlingWeigher.times(remaining, added) + copy;
    if (worth / (1_000 + options.hysteresisPermille()) <= cost / 1_000) {
      return false;
    }
    groups.mark(scene, group, estimates, chosen, decisions);
    return true;
  }

  /// The share of the decodes that the host should do: rows of mean length are added there as long
  /// as each costs less than the share of the device's memory that it would hold. Chosen anew after
  /// a horizon, and only if it differs by at least the hysteresis.
  private void chooseShare(Scene scene, int host, Decisions decisions) {
    EngineView view = scene.view();
    int device = scene.device();
    long last = view.shareNanos(device);
    if (last != Sequence.NEVER
        && view.nowNanos() - last < options.horizonSteps() * scene.stepNanos()) {
      return;
    }
    StepLoad trial = new StepLoad();
    SequenceQueue running = view.residents(device);
    long context = 0;
    for (int i = 0; i < running.size(); i++) {
      if (Scenes.isDecode(running.get(i))) {
        trial.addDecode(running.get(i).plannedComputedTokens());
        context += running.get(i).plannedComputedTokens();
      }
    }
    if (trial.rows() == 0) {
      return;
    }
    int local = trial.rows();
    int mean = (int) (context / local);
    long alone = estimator.stepNanos(device, trial, host, scene.sharing());
    if (alone == 0) {
      return;
    }
    long nanos = alone;
    while (trial.rows() < limits.maxNumSeqs()) {
      trial.addRemote(mean);
      long with = estimator.stepNanos(device, trial, host, scene.sharing());
      if ((with - nanos) * context > nanos * mean) {
        trial.removeRemote(mean);
        break;
      }
      nanos = with;
    }
    int share = (int) ((long) trial.remoteRows() * MILLION / trial.rows());
    int difference = Math.abs(share - view.sharePpm(device));
    if (last != Sequence.NEVER && difference < options.hysteresisPermille() * 1_000) {
      return;
    }
    decisions.share(
        device,
        host,
        share,
        closedForm(scene, host, mean),
        trial.rows() * SECOND_NANOS / nanos,
        local * SECOND_NANOS / alone);
  }

  /// α* of the balance rule, `(T_prefill + T_decode − T_spill) / (2 · T_decode)` in [0, 1], for one
  /// spilled sequence of mean length over one step: T_prefill a token's worth of the device,
  /// T_decode its own decode there, T_spill its copy spread over its remaining life.
  private int closedForm(Scene scene, int host, int meanTokens) {
    long decode = Math.max(1, estimator.attendNanos(host, 1, meanTokens, scene.sharing()));
    long prefill = scene.tokenWorth();
    long life = Math.max(1, 2 * scene.awayNanos() / scene.stepNanos());
    long spill = estimator.copyNanos(scene.device(), host, kv.blocks(meanTokens)) / life;
    long alpha = (prefill + decode - spill) * MILLION / (2 * decode);
    return (int) Math.max(0, Math.min(MILLION, alpha));
  }
}
