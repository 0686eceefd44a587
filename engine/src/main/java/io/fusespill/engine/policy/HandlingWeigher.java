package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.cost.CostEstimator;
import io.fusespill.engine.cost.StepLoad;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import io.fusespill.engine.state.SequenceStatus;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

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

  /// A row with less context is priced as if it had so much: it will soon, and would only go to and
  /// fro.
  private static final int PRICED_TOKENS_MIN = 128;

  /// Memory is scarce where less than this part of it is free.
  static final int SCARCE_SHARE = 4;

  private final SpillOptions options;
  private final Topology topology;
  private final KvLayout kv;
  private final CostEstimator estimator;
  private final int[] swapHost;
  private final int[] attendingHost;
  private final int[] diskOf;
  private final int maxNumSeqs;
  private final int lookAhead;

  HandlingWeigher(
      SpillOptions options, EngineConfig config, CostEstimator estimator, int lookAhead) {
    this.options = options;
    this.topology = config.topology();
    this.kv = config.kv();
    this.maxNumSeqs = config.limits().maxNumSeqs();
    this.lookAhead = lookAhead;
    this.estimator = estimator;
    int places = topology.places().size();
    swapHost = new int[places];
    attendingHost = new int[places];
    diskOf = new int[places];
    for (Place place : topology.places()) {
      int id = place.id();
      swapHost[id] = topology.swapHost(id);
      attendingHost[id] = options.attention() ? topology.attendingHost(id) : -1;
      diskOf[id] = topology.diskBehind(id);
    }
  }

  /// The host that `device` swaps to, or -1.
  int swapHost(int device) {
    return swapHost[device];
  }

  /// The host that attends for `device`, or -1.
  int attendingHost(int device) {
    return attendingHost[device];
  }

  /// The disk behind `host`, or -1.
  int disk(int host) {
    return host < 0 ? -1 : diskOf[host];
  }

  /// What is known of a device when its sequences are weighed.
  static final class Scene {

    private static final int LIVES_ASKED = 8;
    private static final long UNKNOWN = -1;

    private final EngineView view;
    private final int device;
    private final StepLoad load;
    private final int sharing;
    private final int localRows;
    private long stepNanos;
    private long awayNanos = UNKNOWN;
    private @Nullable List<Scene> takers;

    /// @param load what the device's next step would compute without anything changing
    /// @param sharing devices for which the attending host works at the same time
    private Scene(EngineView view, int device, StepLoad load, int sharing) {
      this.view = view;
      this.device = device;
      this.load = load;
      this.sharing = sharing;
      this.localRows = load.rows();
    }

    EngineView view() {
      return view;
    }

    int device() {
      return device;
    }

    StepLoad load() {
      return load;
    }

    long stepNanos() {
      return stepNanos;
    }

    /// Decodes of the device itself.
    int localRows() {
      return localRows;
    }

    int sharing() {
      return sharing;
    }

    long tokenWorth() {
      return stepNanos / Math.max(1, load.rows());
    }

    /// How long a parked sequence is expected to stay away: half of the mean remaining life of
    /// those that run, which is about when the blocks of one will be free.
    long awayNanos() {
      if (awayNanos == UNKNOWN) {
        SequenceQueue running = view.residents(device);
        int asked = Math.min(running.size(), LIVES_ASKED);
        long remaining = 0;
        for (int i = 0; i < asked; i++) {
          remaining +=
              VictimOrder.remaining(running.get(i * running.size() / asked), view.lengths());
        }
        awayNanos = Math.max(1, asked == 0 ? 1 : times(remaining, stepNanos) / asked / 2);
      }
      return awayNanos;
    }
  }

  /// What `device` would compute next, without anything changing.
  Scene scene(EngineView view, int device) {
    StepLoad present = new StepLoad();
    SequenceQueue running = view.residents(device);
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null && isDecode(sequence)) {
        present.addDecode(sequence.plannedComputedTokens());
      }
    }
    int host = attendingHost[device];
    int sharing = 1;
    for (Place place : topology.places()) {
      StepPlan step = place.id() == device ? null : view.stepInFlight(place.id());
      sharing += step != null && step.remoteEntries() > 0 && step.remotePlace() == host ? 1 : 0;
    }
    Scene scene = new Scene(view, device, present, sharing);
    scene.stepNanos = nanos(scene);
    if (host >= 0) {
      addHostRows(scene, view.residents(host));
    }
    scene.stepNanos = Math.max(1, scene.stepNanos);
    return scene;
  }

  /// Those on the host that are worth their time in a step with all that decode on the device.
  private void addHostRows(Scene scene, SequenceQueue resting) {
    boolean waited = memoryWanted(scene.view, scene.device);
    for (int i = 0; i < resting.size(); i++) {
      Sequence sequence = resting.get(i);
      if (usableBy(sequence, scene.device)) {
        int context = sequence.plannedComputedTokens();
        scene.load.addRemote(context);
        long with = nanos(scene);
        long before = scene.stepNanos;
        if (before == 0
            || pays(with - before, before, scene.load, scene.localRows, context, waited)) {
          scene.stepNanos = with;
        } else {
          scene.load.removeRemote(context);
        }
      }
    }
  }

  /// Whether somebody waits for whom the device has a seat.
  boolean somebodyWaits(EngineView view, int device) {
    SequenceQueue waiting = view.waiting();
    return !waiting.isEmpty() && view.seats(device) + waiting.get(0).seats() <= maxNumSeqs;
  }

  /// Whether somebody waits for memory of the device: not for a seat, and not for its prompt's turn
  /// while much is free.
  boolean memoryWanted(EngineView view, int device) {
    int free = view.pool(device).free();
    int total = view.pool(device).total();
    return somebodyWaits(view, device)
        && (free < total / SCARCE_SHARE
            || kv.blocks(view.waiting().get(0).totalTokens())
                    + reserve(view, device, lookAhead)
                    + total / 100
                > free);
  }

  /// Blocks that those running, and those on their way here, will need for their next `tokens`
  /// tokens, and for what is left of their prompts.
  int reserve(EngineView view, int device, int tokens) {
    SequenceQueue running = view.residents(device);
    int blocks = view.seatsInto(device) * kv.blocks(tokens);
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null) {
        int held =
            Math.max(sequence.plannedTotalTokens(), sequence.plannedComputedTokens() + tokens);
        blocks += Math.max(0, kv.blocks(held) - sequence.table().size());
      }
    }
    return blocks;
  }

  /// Whether one more row on the host is worth the time that it adds to the step. Where somebody
  /// waits for the device's memory, that has a price: a token with so much context would take this
  /// share of it for a step. Where nobody waits, a row has to raise the token rate.
  ///
  /// @param load the step with that row
  /// @param localRows decodes of the device, also those that the step leaves out
  static boolean pays(
      long added, long stepNanos, StepLoad load, int localRows, int context, boolean waited) {
    return waited
        ? added * Math.max(1, load.context()) <= stepNanos * Math.max(context, PRICED_TOKENS_MIN)
        : added * (Math.max(load.rows(), localRows + load.remoteRows()) - 1L) <= stepNanos;
  }

  /// How long the step that `scene` describes takes now that its load may have changed.
  long nanos(Scene scene) {
    return estimator.stepNanos(
        scene.device, scene.load, Math.max(0, attendingHost[scene.device]), scene.sharing);
  }

  /// Whether `device` may compute the next token of a sequence whose KV lies on a host.
  static boolean usableBy(Sequence sequence, int device) {
    return sequence.pendingTokens() == 1 && (!sequence.pinned() || sequence.stepper() == device);
  }

  static boolean isDecode(Sequence sequence) {
    return sequence.pendingTokens() == 1 && sequence.plannedComputedTokens() > 0;
  }

  /// Whether the sequence has not moved for a horizon.
  boolean settled(Scene scene, Sequence sequence) {
    return sequence.movedNanos() == Sequence.NEVER
        || scene.view.nowNanos() - sequence.movedNanos() > options.horizonSteps() * scene.stepNanos;
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
    int host = swapHost[device];
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
    int disk = diskOf[host];
    if (disk >= 0
        && scene.view().pool(host).total() >= blocks
        && scene.view().pool(disk).free() >= blocks
        && newestParked(scene.view(), host) != null) {
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
    if (scene.takers == null) {
      scene.takers = takers(scene);
    }
    for (Scene taker : scene.takers) {
      if (taker.load().rows() == 0) {
        continue;
      }
      taker.load().addDecode(contextTokens);
      long added = nanos(taker) - taker.stepNanos();
      taker.load().removeDecode(contextTokens);
      if (added > scene.tokenWorth()) {
        return true;
      }
    }
    return false;
  }

  private List<Scene> takers(Scene scene) {
    List<Scene> takers = new ArrayList<>();
    int host = swapHost[scene.device()];
    for (Place place : topology.places()) {
      int other = place.id();
      if (place.computes() && other != scene.device() && host >= 0 && swapHost[other] == host) {
        takers.add(scene(scene.view(), other));
      }
    }
    return takers;
  }

  private void addAttention(
      Scene scene,
      SampleGroup group,
      int remaining,
      long lifeNanos,
      List<HandlingEstimate> estimates) {
    int device = scene.device();
    int host = attendingHost[device];
    if (host < 0
        || scene.view().pool(host).free() < lastBlocks(group, remaining)
        || !attendable(scene, group)) {
      return;
    }
    long out = queued(scene, device, host, group.blocks());
    long more =
        addedNanos(scene, meanContext(group.oldest(), remaining), group.size())
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

  /// What attending for `rows` more sequences of so much context adds to the step.
  long addedNanos(Scene scene, int contextTokens, int rows) {
    int host = attendingHost[scene.device()];
    for (int i = 0; i < rows; i++) {
      scene.load().addRemote(contextTokens);
    }
    long with = estimator.stepNanos(scene.device(), scene.load(), host, scene.sharing());
    for (int i = 0; i < rows; i++) {
      scene.load().removeRemote(contextTokens);
    }
    return with - scene.stepNanos();
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
      } else if (swapHost[device] >= 0
          && swapHost[device] == swapHost[other]
          && scene.view().pool(swapHost[device]).free() >= blocks) {
        out =
            queued(scene, device, swapHost[device], blocks)
                + queued(scene, swapHost[device], other, blocks);
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

  /// The newest sequence that rests in `host` and that nobody uses, or null.
  static @Nullable Sequence newestParked(EngineView view, int host) {
    Sequence newest = null;
    for (int i = 0; i < view.residents(host).size(); i++) {
      Sequence sequence = view.residents(host).get(i);
      if (sequence.status() == SequenceStatus.SWAPPED
          && !sequence.pinned()
          && (newest == null || sequence.id() > newest.id())) {
        newest = sequence;
      }
    }
    return newest;
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
