package io.fusespill.live;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.model.KvShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A live run with every number in place: the engine's configuration, and the threads of each place
/// that computes or attends.
///
/// ```
///  host ───┐             ┌─ disk
///   │      ├─── memory ──┘
///  aux-host┘
/// ```
///
/// All places are linked as drawn, devices with each other, too: it is all one memory.
public record LivePlan(EngineConfig config, KvShape kv, Map<Integer, Integer> threads) {

  private static final String MEMORY = "memory";
  private static final String DISK = "disk";
  private static final long GIB = 1L << 30;
  private static final int BLOCK_TOKENS = 16;
  private static final int MAX_NUM_SEQS = 256;
  private static final int BATCHED_TOKENS = 2048;
  private static final int MAX_ATTEMPTS = 10;

  /// What a machine offers.
  ///
  /// @param memoryBytes for weights and KV at most
  public record MachineFacts(int cores, long memoryBytes) {}

  /// What steps and copies cost here, measured or known.
  public interface Costs {

    /// Of a device with that many threads.
    StepCosts device(int threads);

    /// Of a place that attends for a device.
    StepCosts attention(StepCosts device, int deviceThreads, int threads);

    /// Between two pools in memory.
    long copyBytesPerSecond();

    /// To and from a disk.
    long diskBytesPerSecond();
  }

  /// How a model's KV lies in blocks under a specification.
  public static KvShape kv(LiveSpec spec, ModelConfig model) {
    int blockTokens = spec.limits().blockTokens() == 0 ? BLOCK_TOKENS : spec.limits().blockTokens();
    return KvShape.of(model, blockTokens, spec.kvType());
  }

  /// Derives everything from a specification.
  ///
  /// @param weightBytes what the weights take of the machine's memory
  /// @throws LiveException if it does not fit the model or the machine
  /// @throws IllegalArgumentException if a limit or the policy is not valid
  public static LivePlan of(
      LiveSpec spec, ModelConfig model, long weightBytes, MachineFacts machine, Costs costs) {
    PolicyKind kind = PolicyKind.named(spec.policy().name());
    EngineLimits limits = limits(spec.limits(), model, kind);
    KvShape kv = kv(spec, model);
    int hostBlocks =
        (int) Math.min(Place.MAX_BLOCKS, (long) (spec.swapGib() * GIB) / kv.blockBytes());
    long taken = weightBytes + hostBlocks * kv.blockBytes();
    List<Share> shares = new ArrayList<>(spec.devices());
    shares.addAll(spec.auxiliary());
    Map<Integer, Integer> threads = new TreeMap<>();
    List<Place> places = new ArrayList<>();
    for (Share share : shares) {
      int id = places.size();
      boolean auxiliary = id >= spec.devices().size();
      int sharing = auxiliary ? spec.auxiliary().size() : spec.devices().size();
      String name = (auxiliary ? "aux-" : "") + Share.KIND + (sharing > 1 ? "-" + id : "");
      int blocks =
          share.blocks() > 0
              ? share.blocks()
              : blocks(kv, limits, spec.utilisation(), taken, machine, shares.size());
      places.add(Place.device(id, name, blocks));
      threads.put(id, threads(share, machine, shares.size()));
    }
    int devices = places.size();
    if (hostBlocks > 0) {
      int id = places.size();
      Share attention = spec.attention();
      places.add(new Place(id, MEMORY, PlaceKind.HOST, false, attention != null, hostBlocks));
      if (attention != null) {
        threads.put(id, threads(attention, machine, devices + 1));
      }
      int diskBlocks =
          (int) Math.min(Place.MAX_BLOCKS, (long) (spec.diskGib() * GIB) / kv.blockBytes());
      if (diskBlocks > 0) {
        places.add(Place.disk(places.size(), DISK, diskBlocks));
      }
    }
    Topology topology = new Topology(places, links(places, costs));
    EngineConfig config =
        new EngineConfig(
            new KvLayout(kv.blockTokens(), kv.blockBytes(), 1),
            limits,
            topology,
            spec.policy(),
            kind.estimates() ? costs(places, threads, costs) : List.of(),
            spec.limits().predictor().isEmpty()
                ? kind.predictor().label()
                : PredictorKind.named(spec.limits().predictor()).label());
    PolicyKind.create(config);
    return new LivePlan(config, kv, threads);
  }

  private static int threads(Share share, MachineFacts machine, int sharing) {
    return share.threads() > 0 ? share.threads() : Math.max(1, machine.cores() / sharing);
  }

  /// As many as memory has room for, and no more than the longest sequences can fill.
  private static int blocks(
      KvShape kv,
      EngineLimits limits,
      double utilisation,
      long taken,
      MachineFacts machine,
      int sharing) {
    long room = ((long) (machine.memoryBytes() * utilisation) - taken) / sharing;
    long useful = (long) limits.maxNumSeqs() * kv.blocks(limits.maxModelTokens());
    long blocks = Math.min(useful, room / kv.blockBytes());
    if (blocks < 1) {
      throw new LiveException(
          "the model and the swap space take %,d bytes, and %s of this machine's memory is %,d: no room for a KV block; take a smaller model or --swap-space, or a larger --gpu-memory-utilization"
              .formatted(taken, utilisation, (long) (machine.memoryBytes() * utilisation)));
    }
    return (int) Math.min(blocks, Place.MAX_BLOCKS);
  }

  private static EngineLimits limits(LiveSpec.Limits asked, ModelConfig model, PolicyKind kind) {
    int modelTokens = asked.maxModelTokens() == 0 ? model.maxPositions() : asked.maxModelTokens();
    if (modelTokens > model.maxPositions()) {
      throw new LiveException(
          "max-model-len is %d, must be at most the %d positions that the model was made for"
              .formatted(modelTokens, model.maxPositions()));
    }
    int batchedTokens = asked.maxNumBatchedTokens();
    if (batchedTokens == 0) {
      batchedTokens = kind.wholePrompts() ? Math.max(modelTokens, BATCHED_TOKENS) : BATCHED_TOKENS;
    }
    int sequences = asked.maxNumSeqs() == 0 ? MAX_NUM_SEQS : asked.maxNumSeqs();
    if (kind.wholePrompts() && batchedTokens < modelTokens) {
      throw new LiveException(
          "max-num-batched-tokens is %d, must be at least max-model-len (%d) under %s, which never splits a prompt"
              .formatted(batchedTokens, modelTokens, kind.label()));
    }
    if (batchedTokens < sequences) {
      throw new LiveException(
          "max-num-batched-tokens is %d, must be at least max-num-seqs (%d)"
              .formatted(batchedTokens, sequences));
    }
    return new EngineLimits(
        sequences,
        batchedTokens,
        modelTokens,
        MAX_ATTEMPTS,
        asked.checkpointEvents(),
        asked.maxStepsInFlight() > 0 ? asked.maxStepsInFlight() : kind.stepsInFlight());
  }

  private static List<Link> links(List<Place> places, Costs costs) {
    List<Link> links = new ArrayList<>();
    for (Place from : places) {
      for (Place to : places) {
        boolean disk = from.kind() == PlaceKind.DISK || to.kind() == PlaceKind.DISK;
        boolean computes = from.computes() || to.computes();
        if (from.id() != to.id() && !(disk && computes)) {
          long rate = disk ? costs.diskBytesPerSecond() : costs.copyBytesPerSecond();
          links.add(new Link(from.id(), to.id(), rate, 0));
        }
      }
    }
    return links;
  }

  private static List<StepCosts> costs(
      List<Place> places, Map<Integer, Integer> threads, Costs costs) {
    List<StepCosts> each = new ArrayList<>();
    for (Place place : places) {
      Integer own = threads.get(place.id());
      if (own == null) {
        each.add(StepCosts.NONE);
      } else if (place.computes()) {
        each.add(costs.device(own));
      } else {
        each.add(costs.attention(each.getFirst(), threads.getOrDefault(0, 1), own));
      }
    }
    return each;
  }
}
