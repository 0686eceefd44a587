package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.cost.CostEstimator;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import java.util.ArrayList;
import java.util.List;

/// Weighs every way to handle a sequence for which a device has no room, in nanoseconds that the
/// device loses for others.
///
/// With B blocks held of P in the pool, r expected tokens, s the device's step and n its rows, so
/// that a token is worth s / n, and W the time for which a parked sequence stays away:
///
/// | handling | lost | free for |
/// |---|---|---|
/// | recompute | prefill of all its tokens, less what rides along with the weights of as many steps as it takes, + B/2 held while that lasts | min(r·s, W) |
/// | swap | B held while copies go out and come back, queued link time included | min(r·s, W) less the copy out |
/// | spill | as swap, once a parked sequence has made room on the host | the same less both disk copies |
/// | offload decode | B held while the copy goes out + r × (the other device's marginal decode − a token's worth) | r·s less the copy out |
/// | offload attention | B held while the copy goes out + r × (what one more row adds to the step − a token's worth) | r·s less the copy out |
/// | stay | the tokens of the rows that stall, for one step | a step |
///
/// Holding b blocks for t costs b/P·t: that share of the device decodes nothing meanwhile. Offloads
/// are possible only where the predicted final length fits.
final class HandlingWeigher {

  private final SpillOptions options;
  private final Topology topology;
  private final KvLayout kv;
  private final CostEstimator estimator;
  private final Hosts hosts;
  private final Scenes scenes;

  HandlingWeigher(
      SpillOptions options,
      EngineConfig config,
      CostEstimator estimator,
      Hosts hosts,
      Scenes scenes) {
    this.options = options;
    this.topology = config.topology();
    this.kv = config.kv();
    this.estimator = estimator;
    this.hosts = hosts;
    this.scenes = scenes;
  }

  /// Whether the sequence has not moved for a horizon.
  boolean settled(Scene scene, Sequence sequence) {
    return sequence.movedNanos() == Sequence.NEVER
        || scene.view().nowNanos() - sequence.movedNanos()
            > options.horizonSteps() * scene.stepNanos();
  }

  /// All handlings that are possible, [Handling#STAY] always among them.
  ///
  /// @param remaining output tokens that each member is expected to produce still
  List<HandlingEstimate> weigh(
      Scene scene, SampleGroup group, int remaining, boolean growthNeeded) {
    List<HandlingEstimate> estimates = new ArrayList<>(6);
    long lifeNanos = Math.max(1, times(remaining, scene.stepNanos()));
    long awayNanos = Math.max(1, Math.min(lifeNanos, scene.awayNanos()));
    estimates.add(recompute(scene, group, lifeNanos, awayNanos));
    if (group.blocks() > 0) {
      addSwap(scene, group, lifeNanos, awayNanos, estimates);
      if (aboutToDecode(group)) {
        addAttention(scene, group, remaining, lifeNanos, estimates);
        addOffload(scene, group, remaining, lifeNanos, estimates);
      }
    }
    long stalled = growthNeeded ? times(group.size(), scene.tokenWorth()) : 0;
    estimates.add(new HandlingEstimate(Handling.STAY, -1, stalled, Math.max(1, scene.stepNanos())));
    return estimates;
  }

  private static boolean aboutToDecode(SampleGroup group) {
    for (Sequence member : group.members()) {
      if (member.plannedTotalTokens() - member.plannedComputedTokens() != 1) {
        return false;
      }
    }
    return true;
  }

  private HandlingEstimate recompute(
      Scene scene, SampleGroup group, long lifeNanos, long awayNanos) {
    int slack = slack(scene);
    int chunk = Math.max(slack, kv.blockTokens());
    int common = group.shared() + group.blocks() - group.freed();
    long lost = options.prefixCaching() ? 0 : held(scene, common, lifeNanos);
    int found = options.prefixCaching() ? common * kv.blockTokens() / group.size() : 0;
    for (Sequence member : group.members()) {
      int tokens = Math.max(1, member.plannedTotalTokens() - found);
      long steps = (tokens + chunk - 1L) / chunk;
      long riding = Math.min(tokens, steps * slack);
      lost =
          plus(
              lost,
              estimator.prefillNanos(scene.device(), tokens, (int) riding)
                  + held(scene, member.table().size(), steps * scene.stepNanos() / 2));
    }
    return new HandlingEstimate(Handling.RECOMPUTE, -1, lost, awayNanos);
  }

  /// Prefill tokens that a step could take along with the weights, beyond what steps take along
  /// now. While memory is full the prefill budget takes fewer; with its number here throughput is
  /// the same to about one per cent, so this one stays simple.
  private int slack(Scene scene) {
    int used = scene.load().tokens();
    int steps = scene.view().stepsInFlight(scene.device());
    for (int i = 0; i < steps; i++) {
      used = Math.max(used, scene.view().stepInFlight(scene.device(), i).batchedTokens());
    }
    return Math.max(0, estimator.ridgeTokens(scene.device()) - used);
  }

  private void addSwap(
      Scene scene,
      SampleGroup group,
      long lifeNanos,
      long awayNanos,
      List<HandlingEstimate> estimates) {
    int device = scene.device();
    int host = hosts.swapping(device);
    if (host < 0) {
      return;
    }
    int blocks = group.blocks();
    long out = queued(scene, device, host, blocks);
    long in = queued(scene, host, device, blocks);
    long lost = plus(held(scene, blocks, out + in), held(scene, blocks - group.freed(), lifeNanos));
    if (scene.view().pool(host).free() >= blocks) {
      estimates.add(new HandlingEstimate(Handling.SWAP, host, lost, Math.max(1, awayNanos - out)));
      return;
    }
    int disk = hosts.disk(host);
    if (disk >= 0
        && scene.view().pool(host).total() >= blocks
        && scene.view().pool(disk).free() >= blocks
        && Hosts.newestParked(scene.view(), host) != null) {
      long aside = queued(scene, host, disk, blocks) + queued(scene, disk, host, blocks);
      estimates.add(
          new HandlingEstimate(
              Handling.SPILL,
              disk,
              lost + held(scene, blocks, aside),
              Math.max(1, awayNanos - out - aside)));
    }
  }

  /// Whether what the device swaps out goes on elsewhere: another device takes from the same host,
  /// and one more row of so much context costs that one more time than a token is worth here. One
  /// that decodes nothing has no time to lose.
  boolean goesOnSlower(Scene scene, int contextTokens) {
    for (Scene taker : scene.takers(scenes)) {
      if (taker.load().rows() == 0) {
        continue;
      }
      taker.load().addDecode(contextTokens);
      long added = scenes.nanos(taker) - taker.stepNanos();
      taker.load().removeDecode(contextTokens);
      if (added > scene.tokenWorth()) {
        return true;
      }
    }
    return false;
  }

  private void addAttention(
      Scene scene,
      SampleGroup group,
      int remaining,
      long lifeNanos,
      List<HandlingEstimate> estimates) {
    int device = scene.device();
    int host = hosts.attending(device);
    if (host < 0
        || scene.view().pool(host).free() < lastBlocks(group, remaining)
        || !attendable(scene, group)) {
      return;
    }
    long out = queued(scene, device, host, group.blocks());
    long more =
        scenes.addedNanos(scene, meanContext(group.oldest(), remaining), group.size())
            - group.size() * scene.tokenWorth();
    long lost = plus(held(scene, group.blocks(), out), times(remaining, Math.max(0, more)));
    estimates.add(
        new HandlingEstimate(Handling.OFFLOAD_ATTENTION, host, lost, Math.max(1, lifeNanos - out)));
  }

  /// Blocks that the group is expected to hold at its end.
  private int lastBlocks(SampleGroup group, int remaining) {
    int blocks = -group.shared();
    for (Sequence member : group.members()) {
      blocks += kv.blocks(member.totalTokens() + remaining);
    }
    return blocks;
  }

  /// Whether a host could decode the members: no sample is to fork from one, and nobody shares the
  /// block that its next token goes into.
  private static boolean attendable(Scene scene, SampleGroup group) {
    BlockPool pool = scene.view().pool(scene.device());
    for (Sequence member : group.members()) {
      if (member.unforked() > 0 || pool.holders(member.table().last()) > 1) {
        return false;
      }
    }
    return true;
  }

  /// Mean context of the sequence over its remaining life.
  static int meanContext(Sequence sequence, int remaining) {
    return sequence.totalTokens() + remaining / 2;
  }

  private void addOffload(
      Scene scene,
      SampleGroup group,
      int remaining,
      long lifeNanos,
      List<HandlingEstimate> estimates) {
    if (!options.offload()) {
      return;
    }
    int device = scene.device();
    int blocks = group.blocks();
    int last = lastBlocks(group, remaining);
    for (Place place : topology.places()) {
      int other = place.id();
      if (!place.computes() || other == device || !hasRoom(scene.view(), other, last)) {
        continue;
      }
      long out;
      if (topology.linked(device, other)) {
        out = queued(scene, device, other, blocks);
      } else if (hosts.swapping(device) >= 0
          && hosts.swapping(device) == hosts.swapping(other)
          && scene.view().pool(hosts.swapping(device)).free() >= blocks) {
        out =
            queued(scene, device, hosts.swapping(device), blocks)
                + queued(scene, hosts.swapping(device), other, blocks);
      } else {
        continue;
      }
      long more =
          estimator.decodeNanos(other, meanContext(group.oldest(), remaining)) - scene.tokenWorth();
      long lost =
          plus(held(scene, blocks, out), times(remaining, group.size() * Math.max(0, more)));
      estimates.add(
          new HandlingEstimate(Handling.OFFLOAD_DECODE, other, lost, Math.max(1, lifeNanos - out)));
    }
  }

  /// A twentieth of another device's blocks is for its own sequences to grow into.
  private static boolean hasRoom(EngineView view, int device, int blocks) {
    return view.waiting().isEmpty()
        && view.pool(device).free() - view.pool(device).total() / 20 >= blocks;
  }

  /// Time until a copy of `blocks` is through, with what is on the link already.
  private long queued(Scene scene, int from, int to, int blocks) {
    return estimator.queuedNanos(scene.view(), from, to, blocks);
  }

  /// What it costs that `blocks` blocks serve nobody for `nanos`.
  private static long held(Scene scene, int blocks, long nanos) {
    return times(blocks, nanos) / Math.max(1, scene.view().pool(scene.device()).total());
  }

  private static long plus(long a, long b) {
    return Long.MAX_VALUE - a < b ? Long.MAX_VALUE : a + b;
  }

  /// The product of two numbers that are not negative, the largest where it would be beyond.
  static long times(long count, long nanos) {
    return nanos != 0 && count > Long.MAX_VALUE / nanos ? Long.MAX_VALUE : count * nanos;
  }
}
