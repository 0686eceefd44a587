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
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.model.KvShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A live run with every number in place: the engine's configuration, the threads of each place of
/// cores that computes or attends, and the GPU of each other device.
///
/// ```
///  host ───┐             ┌─ disk
///   │      ├─── memory ──┘
///  aux-host┘
/// ```
///
/// All places are linked as drawn, devices with each other, too.
public record LivePlan(
    EngineConfig config, KvShape kv, Map<Integer, Integer> threads, Map<Integer, Integer> gpus) {

  private static final String MEMORY = "memory";
  private static final String DISK = "disk";
  private static final long GIB = 1L << 30;
  private static final int BLOCK_TOKENS = 16;
  private static final int BLOCK_TOKENS_MAX = 1_024;
  private static final int MAX_NUM_SEQS = 256;
  private static final int BATCHED_TOKENS = 2048;
  private static final int MAX_ATTEMPTS = 10;

  /// What a machine offers.
  ///
  /// @param memoryBytes for weights and KV at most
  /// @param gpus its GPUs; null where none is to be used
  public record MachineFacts(int cores, long memoryBytes, @Nullable Gpus gpus) {

    /// A machine of which no GPU is to be used.
    public MachineFacts(int cores, long memoryBytes) {
      this(cores, memoryBytes, null);
    }
  }

  /// GPUs with the model on them. Asking for one that is not there throws.
  public interface Gpus {

    /// Bytes for the KV of all devices on a GPU, beside the weights and what the devices need to
    /// work; may be below 0.
    ///
    /// @param utilisation share of the memory that may be taken
    long kvBytes(int gpu, double utilisation, int devices, EngineLimits limits, KvShape kv);

    /// What steps of a device on a GPU cost.
    StepCosts costs(int gpu, EngineLimits limits, KvShape kv);

    /// Between a GPU and memory.
    long bytesPerSecond(int gpu);

    /// What a step on a GPU takes longer when somebody else attends for some of its sequences,
    /// beside that somebody's own time.
    long handOffNanos(int gpu, EngineLimits limits, KvShape kv);
  }

  /// What steps and copies cost here, measured or known.
  public interface Costs {

    /// Of a device of cores with that many threads.
    StepCosts device(int threads);

    /// Of a place that attends with that many threads.
    StepCosts attention(int threads);

    /// Between two pools in memory.
    long copyBytesPerSecond();

    /// To and from a disk.
    long diskBytesPerSecond();
  }

  /// How a model's KV lies in blocks under a specification.
  public static KvShape kv(LiveSpec spec, ModelConfig model) {
    int blockTokens = spec.limits().blockTokens() == 0 ? BLOCK_TOKENS : spec.limits().blockTokens();
    if (blockTokens > BLOCK_TOKENS_MAX) {
      throw new LiveException(
          "block-size is %,d, must be 1 to %,d".formatted(blockTokens, BLOCK_TOKENS_MAX));
    }
    return KvShape.of(model, blockTokens, kvType(spec, model));
  }

  /// On a GPU, KV is of the weights' type, and so it is everywhere else then.
  private static ElementType kvType(LiveSpec spec, ModelConfig model) {
    boolean gpu =
        Stream.concat(spec.devices().stream(), spec.auxiliary().stream()).anyMatch(Share::isGpu);
    ElementType asked = spec.kvType();
    ElementType type = gpu ? model.gpuType() : ElementType.F32;
    if (gpu && asked != null && asked != type) {
      throw new LiveException(
          "kv-cache-dtype is %s, must be %s or auto: on a GPU keys and values are of the type that it computes in (--dtype)"
              .formatted(asked.label(), type.label()));
    }
    return asked == null ? type : asked;
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
    int hostBlocks = blocks("swap space", spec.swapGib(), kv);
    long taken = weightBytes + hostBlocks * kv.blockBytes();
    List<Share> shares = new ArrayList<>(spec.devices());
    shares.addAll(spec.auxiliary());
    int hosts = (int) shares.stream().filter(share -> !share.isGpu()).count();
    Map<Integer, Integer> threads = new TreeMap<>();
    Map<Integer, Integer> gpus = new TreeMap<>();
    List<Place> places = new ArrayList<>();
    for (Share share : shares) {
      int id = places.size();
      boolean auxiliary = id >= spec.devices().size();
      List<Share> alike = auxiliary ? spec.auxiliary() : spec.devices();
      boolean numbered = !share.isGpu() && alike.stream().filter(s -> !s.isGpu()).count() > 1;
      String name = (auxiliary ? "aux-" : "") + share.label() + (numbered ? "-" + id : "");
      long room =
          share.blocks() > 0
              ? 0
              : share.isGpu()
                  ? gpuRoom(share.gpu(), shares, spec.utilisation(), limits, kv, machine)
                  : hostRoom(
                      (long) (machine.memoryBytes() * spec.utilisation()) - taken, shares, kv);
      int blocks =
          share.blocks() > 0 ? share.blocks() : blocks(kv, limits, spec.utilisation(), share, room);
      places.add(Place.device(id, name, blocks));
      if (share.isGpu()) {
        gpus.put(id, share.gpu());
      } else {
        threads.put(id, threads(share, machine, hosts));
      }
    }
    if (hostBlocks > 0) {
      int id = places.size();
      Share attention = spec.attention();
      places.add(new Place(id, MEMORY, PlaceKind.HOST, false, attention != null, hostBlocks));
      if (attention != null) {
        threads.put(id, threads(attention, machine, hosts + 1));
      }
      int diskBlocks = blocks("disk", spec.diskGib(), kv);
      if (diskBlocks > 0) {
        places.add(Place.disk(places.size(), DISK, diskBlocks));
      }
    }
    Topology topology = new Topology(places, links(places, gpus, machine, costs));
    EngineConfig config =
        new EngineConfig(
            new KvLayout(kv.blockTokens(), kv.blockBytes(), 1),
            limits,
            topology,
            spec.policy(),
            kind.estimates() ? costs(places, threads, gpus, limits, kv, machine, costs) : List.of(),
            spec.limits().predictor().isEmpty()
                ? kind.predictor().label()
                : PredictorKind.named(spec.limits().predictor()).label());
    PolicyKind.create(config);
    return new LivePlan(config, kv, threads, gpus);
  }

  private static int blocks(String what, double gib, KvShape kv) {
    long blocks = (long) (gib * GIB) / kv.blockBytes();
    if (blocks > Place.MAX_BLOCKS) {
      throw new LiveException(
          "%s of %s GiB has %,d KV blocks, must have at most %,d: make it smaller, or blocks larger (--block-size)"
              .formatted(what, gib, blocks, Place.MAX_BLOCKS));
    }
    return (int) blocks;
  }

  private static int threads(Share share, MachineFacts machine, int sharing) {
    return share.threads() > 0 ? share.threads() : Math.max(1, machine.cores() / sharing);
  }

  private static Gpus gpus(MachineFacts machine) {
    return Objects.requireNonNull(machine.gpus(), "a machine with GPUs");
  }

  /// What each device of the machine's cores gets whose blocks nobody has named.
  private static long hostRoom(long bytes, List<Share> shares, KvShape kv) {
    List<Share> hosts = shares.stream().filter(share -> !share.isGpu()).toList();
    long given = hosts.stream().mapToLong(share -> share.blocks() * kv.blockBytes()).sum();
    return (bytes - given) / hosts.stream().filter(share -> share.blocks() == 0).count();
  }

  private static long gpuRoom(
      int gpu,
      List<Share> shares,
      double utilisation,
      EngineLimits limits,
      KvShape kv,
      MachineFacts machine) {
    int devices = (int) shares.stream().filter(share -> share.gpu() == gpu).count();
    long given =
        shares.stream()
            .filter(share -> share.gpu() == gpu)
            .mapToLong(share -> share.blocks() * kv.blockBytes())
            .sum();
    long open = shares.stream().filter(s -> s.gpu() == gpu && s.blocks() == 0).count();
    return (gpus(machine).kvBytes(gpu, utilisation, devices, limits, kv) - given) / open;
  }

  /// As many as memory has room for, and no more than the longest sequences can fill.
  private static int blocks(
      KvShape kv, EngineLimits limits, double utilisation, Share share, long room) {
    long useful = (long) limits.maxNumSeqs() * kv.blocks(limits.maxModelTokens());
    long blocks = Math.min(useful, Math.floorDiv(room, kv.blockBytes()));
    if (blocks < 1) {
      throw new LiveException(
          "%s of the memory of %s less the model%s is %,d bytes, and a KV block needs %,d: take a smaller model%s, or a larger --gpu-memory-utilization"
              .formatted(
                  utilisation,
                  share.label(),
                  share.isGpu() ? "" : " and the swap space",
                  room,
                  kv.blockBytes(),
                  share.isGpu() ? "" : " or --swap-space"));
    }
    return (int) Math.min(blocks, Place.MAX_BLOCKS);
  }

  private static StepCosts later(StepCosts costs, long nanos) {
    return new StepCosts(
        costs.overheadNanos() + nanos,
        costs.weightNanos(),
        costs.linearPicos(),
        costs.headNanos(),
        costs.headPicos(),
        costs.contextPicos(),
        costs.decodePicos(),
        costs.pairPicos(),
        costs.tokenPicos());
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

  private static List<Link> links(
      List<Place> places, Map<Integer, Integer> gpus, MachineFacts machine, Costs costs) {
    List<Link> links = new ArrayList<>();
    for (Place from : places) {
      for (Place to : places) {
        boolean disk = from.kind() == PlaceKind.DISK || to.kind() == PlaceKind.DISK;
        boolean computes = from.computes() || to.computes();
        if (from.id() != to.id() && !(disk && computes)) {
          Integer gpu = gpus.getOrDefault(from.id(), gpus.get(to.id()));
          long rate =
              disk
                  ? costs.diskBytesPerSecond()
                  : gpu == null ? costs.copyBytesPerSecond() : gpus(machine).bytesPerSecond(gpu);
          links.add(new Link(from.id(), to.id(), rate, 0));
        }
      }
    }
    return links;
  }

  private static List<StepCosts> costs(
      List<Place> places,
      Map<Integer, Integer> threads,
      Map<Integer, Integer> gpus,
      EngineLimits limits,
      KvShape kv,
      MachineFacts machine,
      Costs costs) {
    List<StepCosts> each = new ArrayList<>();
    Integer firstGpu =
        places.stream()
            .map(place -> gpus.get(place.id()))
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(null);
    for (Place place : places) {
      Integer own = threads.get(place.id());
      Integer gpu = gpus.get(place.id());
      if (gpu != null) {
        each.add(gpus(machine).costs(gpu, limits, kv));
      } else if (own == null) {
        each.add(StepCosts.NONE);
      } else {
        each.add(place.computes() ? costs.device(own) : costs.attention(own));
      }
      if (own != null && !place.computes() && firstGpu != null) {
        long handOff = gpus(machine).handOffNanos(firstGpu, limits, kv);
        each.set(place.id(), later(each.get(place.id()), handOff));
      }
    }
    return each;
  }
}
