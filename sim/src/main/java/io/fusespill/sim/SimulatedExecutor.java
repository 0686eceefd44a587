package io.fusespill.sim;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.Window;
import io.fusespill.sim.EventQueue.Rank;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.StepTimeModel;
import io.fusespill.sim.cost.TransferTimeModel;
import io.fusespill.traces.SeededRandom;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongSupplier;

/// A device made of cost models: a plan given to it is complete at now + cost.
///
/// It alone knows how long each output really is. A device runs its steps one after the other, in
/// the order in which they were given; when one fails, those fail too that were queued behind it
/// before that was known. Ordered copies are submitted with the step that they precede. A channel
/// carries one transfer at a time, in the order in which they were given: a link's own, or that of
/// several links. A host that attends for several devices at once shares its bandwidth among them.
/// Copies of shared blocks within a device cost nothing here.
public final class SimulatedExecutor implements Executor {

  /// Where results go, each with the time at which it is due.
  @FunctionalInterface
  public interface Results {
    void add(Rank rank, InputEvent result);
  }

  private static final int MILLION = 1_000_000;

  /// What is true of a request's samples. They fork where the prompt ends, perhaps more than once:
  /// a step that comes to that may turn out wasted.
  private static final class Truth {
    final int firstSequence;
    final int samples;
    final int promptTokens;

    /// Tokens computed when the last token of a sample is sampled.
    final int lastContext;

    final BitSet released = new BitSet();

    Truth(int firstSequence, int samples, int promptTokens, int lastContext) {
      this.firstSequence = firstSequence;
      this.samples = samples;
      this.promptTokens = promptTokens;
      this.lastContext = lastContext;
    }
  }

  private final KvLayout kv;
  private final World world;
  private final long[] deviceFreeNanos;
  private final long[] attendingUntilNanos;
  private final int[] attendingPlace;
  private final long[] failingUntilNanos;
  private final Topology topology;
  private final List<TransferTimeModel> linkModels;
  private final int[] channelOf;
  private final long[] channelFreeNanos;
  private final SeededRandom stepLuck;
  private final SeededRandom transferLuck;
  private final LongSupplier now;
  private final Results results;
  private final Window<Truth> truths = new Window<>();
  private int[] ended = new int[64];
  private int endedCount;

  /// @param now the present time, in nanoseconds since the run's start
  public SimulatedExecutor(
      EngineConfig config, World world, long seed, LongSupplier now, Results results) {
    this.kv = config.kv();
    this.world = world;
    int places = config.topology().places().size();
    this.deviceFreeNanos = new long[places];
    this.attendingUntilNanos = new long[places];
    this.attendingPlace = new int[places];
    this.failingUntilNanos = new long[places];
    this.topology = config.topology();
    List<Link> links = topology.links();
    this.linkModels = world.transferModels(topology);
    int shared = links.stream().mapToInt(link -> link.channel() + 1).max().orElse(0);
    this.channelOf = new int[links.size()];
    for (int i = 0; i < channelOf.length; i++) {
      channelOf[i] = links.get(i).hasOwnChannel() ? shared + i : links.get(i).channel();
    }
    this.channelFreeNanos = new long[shared + links.size()];
    this.stepLuck = new SeededRandom(seed, "step faults");
    this.transferLuck = new SeededRandom(seed, "transfer faults");
    this.now = now;
    this.results = results;
  }

  /// Tells how long a request's outputs will be, each of its samples alike, before any step
  /// computes it.
  public void expect(int firstSequence, int samples, int promptTokens, int outputTokens) {
    truths.put(
        firstSequence,
        new Truth(firstSequence, samples, promptTokens, promptTokens + outputTokens - 1));
  }

  @Override
  public void execute(StepPlan plan, List<TransferPlan> before) {
    long now = this.now.getAsLong();
    int device = plan.device();
    long submitted = now + world.submitLatency().of(plan.size());
    long start = Math.max(submitted, deviceFreeNanos[device]);
    for (TransferPlan transfer : before) {
      start = Math.max(start, occupyLink(transfer, submitted));
    }
    long busy = busyNanos(plan, start);
    long end = start + busy;
    deviceFreeNanos[device] = end;
    boolean queued = failingUntilNanos[device] > now;
    if (queued || strikes(stepLuck, world.faults().steps())) {
      failingUntilNanos[device] = queued ? failingUntilNanos[device] : end;
      results.add(Rank.STEP, new StepFailed(end, device, plan.step(), "injected fault"));
      return;
    }
    findEnded(plan);
    results.add(
        Rank.STEP,
        new StepCompleted(
            end, device, plan.step(), Ints.copyOf(ended, endedCount), Ints.EMPTY, busy));
  }

  private long busyNanos(StepPlan plan, long start) {
    StepTimeModel model = world.models().get(plan.device());
    StepShape shape = StepShape.of(plan);
    if (plan.remoteEntries() == 0) {
      return model.nanos(shape);
    }
    HostAttentionModel attention = world.attention().get(plan.remotePlace());
    int devices = 1;
    for (int other = 0; other < attendingUntilNanos.length; other++) {
      boolean beside =
          other != plan.device()
              && attendingUntilNanos[other] > start
              && attendingPlace[other] == plan.remotePlace();
      devices += beside ? 1 : 0;
    }
    long remoteNanos =
        attention == null
            ? 0
            : attention.nanos(shape.remoteRows(), shape.remoteContextTokens(), devices);
    long busy = model.nanos(shape, remoteNanos);
    attendingUntilNanos[plan.device()] = start + busy;
    attendingPlace[plan.device()] = plan.remotePlace();
    return busy;
  }

  @Override
  public void transfer(TransferPlan plan) {
    long end = occupyLink(plan, now.getAsLong());
    results.add(
        Rank.TRANSFER,
        strikes(transferLuck, world.faults().transfers())
            ? new TransferFailed(end, plan.transfer(), "injected fault")
            : new TransferCompleted(end, plan.transfer()));
  }

  @Override
  public void release(int sequence) {
    Truth truth = truths.get(sequence);
    if (truth != null) {
      truth.released.set(sequence - truth.firstSequence);
      truths.remove(sequence);
    }
  }

  /// Notes that a step ended otherwise than was expected: what is queued behind it moves by as
  /// much.
  ///
  /// @param laterNanos by how much it ended later; below 0 for earlier
  void shiftDevice(int device, long laterNanos) {
    deviceFreeNanos[device] = Math.max(now.getAsLong(), deviceFreeNanos[device] + laterNanos);
  }

  /// The same for a transfer and its channel.
  void shiftChannel(TransferPlan plan, long laterNanos) {
    int channel = channelOf(plan);
    channelFreeNanos[channel] = Math.max(now.getAsLong(), channelFreeNanos[channel] + laterNanos);
  }

  /// Whether one of the two transfers waits for the other.
  boolean shareChannel(TransferPlan a, TransferPlan b) {
    return channelOf(a) == channelOf(b);
  }

  private int channelOf(TransferPlan plan) {
    return channelOf[topology.linkIndex(plan.from(), plan.to())];
  }

  private static boolean strikes(SeededRandom luck, int perMillion) {
    return perMillion > 0 && luck.nextInt(1, MILLION) <= perMillion;
  }

  /// Puts the transfer on its link, behind those before it on the same channel, and returns when it
  /// is done.
  private long occupyLink(TransferPlan plan, long submittedNanos) {
    int link = topology.linkIndex(plan.from(), plan.to());
    if (link < 0) {
      throw new IllegalStateException(
          "no link from place %d to %d".formatted(plan.from(), plan.to()));
    }
    int channel = channelOf[link];
    TransferTimeModel model = linkModels.get(link);
    long start = Math.max(submittedNanos + model.beginNanos(), channelFreeNanos[channel]);
    channelFreeNanos[channel] =
        start
            + model.nanos(
                plan.blocks() * kv.blockBytes(), (long) plan.blocks() * kv.copiesPerBlock());
    return channelFreeNanos[channel];
  }

  private void findEnded(StepPlan plan) {
    endedCount = 0;
    for (int i = 0; i < plan.size(); i++) {
      int sequence = plan.sequences().get(i);
      int context = plan.computedTokens().get(i) + plan.newTokens().get(i);
      Truth truth = truths.get(sequence);
      if (truth == null) {
        throw new IllegalStateException(
            "a step computes sequence %d, which is not expected".formatted(sequence));
      }
      if (context == truth.lastContext) {
        addEnded(sequence);
      }
      if (sequence == truth.firstSequence && context == truth.promptTokens) {
        forkTruth(truth);
      }
    }
  }

  private void forkTruth(Truth truth) {
    for (int sample = 1; sample < truth.samples; sample++) {
      int sequence = truth.firstSequence + sample;
      if (truth.released.get(sample)) {
        continue;
      }
      if (truths.get(sequence) == null) {
        truths.put(sequence, truth);
      }
      if (truth.promptTokens == truth.lastContext) {
        addEnded(sequence);
      }
    }
  }

  private void addEnded(int sequence) {
    if (endedCount == ended.length) {
      ended = Arrays.copyOf(ended, 2 * endedCount);
    }
    ended[endedCount++] = sequence;
  }
}
