package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import io.fusespill.cuda.exec.CudaMachine;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.host.checkpoint.CheckpointException;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.LoadFormat;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.exec.Accelerator;
import io.fusespill.host.exec.CostProbe;
import io.fusespill.host.exec.HostExecutor;
import io.fusespill.host.kernel.Cores;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;
import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.live.LivePlan;
import io.fusespill.live.LiveSpec;
import io.fusespill.live.ProbedCosts;
import io.fusespill.live.Share;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A model in memory, with its tokenizer where it has one.
final class LoadedModel implements AutoCloseable {

  /// Where a model is from: what it takes to load it again.
  ///
  /// @param tokenizer null where it is in the model's folder, if anywhere
  /// @param seed of dummy weights
  /// @param type what weights become on a GPU; null for what they are
  record Source(
      Path folder,
      @Nullable Path tokenizer,
      LoadFormat format,
      long seed,
      @Nullable ElementType type) {

    ObjectNode toJson() {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      json.put("model", folder.toAbsolutePath().normalize().toString());
      json.put(
          "tokenizer",
          tokenizer == null ? null : tokenizer.toAbsolutePath().normalize().toString());
      json.put("load_format", format.name().toLowerCase(Locale.ROOT));
      json.put("seed", seed);
      if (type != null) {
        json.put("dtype", type.label());
      }
      return json;
    }

    /// @throws IllegalArgumentException if something is missing or not legal
    static Source of(JsonNode json) {
      Path folder = Path.of(LiveFile.required(json, "model").asText());
      JsonNode tokenizer = json.path("tokenizer");
      JsonNode seed = LiveFile.required(json, "seed");
      if (!seed.canConvertToLong() || !seed.isIntegralNumber()) {
        throw new IllegalArgumentException(
            "seed is %s, must be a whole number of 64 bits".formatted(seed));
      }
      return new Source(
          folder,
          tokenizer.isTextual() ? Path.of(tokenizer.asText()) : null,
          LiveFile.constant(json, "load_format", Arrays.asList(LoadFormat.values())),
          seed.longValue(),
          json.has("dtype")
              ? LiveFile.constant(json, "dtype", Arrays.asList(ElementType.values()))
              : null);
    }
  }

  /// What a live engine keeps of each KV block: 40 bytes in the state that decides and in the one
  /// behind the journal.
  private static final int HEAP_BYTES_PER_BLOCK = 80;

  private static final long MIB = 1 << 20;

  private final Source source;
  private final Checkpoint checkpoint;
  private final ModelConfig config;
  private final ModelWeights weights;
  private final @Nullable Tokenizer tokenizer;
  private final CudaMachine gpus;

  private LoadedModel(
      Source source, Checkpoint checkpoint, ModelWeights weights, @Nullable Tokenizer tokenizer) {
    this.source = source;
    this.checkpoint = checkpoint;
    this.weights = weights;
    this.tokenizer = tokenizer;
    ModelConfig own = checkpoint.config();
    config = source.type() == null ? own : own.withWeightType(source.type());
    gpus = new CudaMachine(config, checkpoint);
  }

  /// @param textNeeded whether it is an error that there is no tokenizer
  /// @throws CheckpointException if the model or the tokenizer cannot be used
  static LoadedModel open(Source source, boolean textNeeded) {
    Tokenizer tokenizer = tokenizer(source, textNeeded);
    Checkpoint checkpoint = null;
    try {
      checkpoint = Checkpoint.open(source.folder(), source.format(), source.seed());
      return new LoadedModel(
          source, checkpoint, ModelWeights.of(checkpoint.config(), checkpoint), tokenizer);
    } catch (RuntimeException e) {
      if (checkpoint != null) {
        checkpoint.close();
      }
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw e;
    }
  }

  private static @Nullable Tokenizer tokenizer(Source source, boolean needed) {
    Path folder = source.tokenizer() == null ? source.folder() : source.tokenizer();
    if (!Files.isDirectory(source.folder())) {
      throw new UsageException(
          "no model folder %s: name that of a Hugging Face checkpoint with --model"
              .formatted(source.folder()));
    }
    boolean there = Files.isRegularFile(folder.resolve("tokenizer.json"));
    return needed || there || source.tokenizer() != null ? Tokenizer.open(folder) : null;
  }

  /// What of a specification becomes of it on this machine.
  ///
  /// @throws UsageException if a limit is not legal
  /// @throws io.fusespill.live.LiveException if it does not fit the model or the machine
  LivePlan plan(LiveSpec spec) {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    LivePlan plan;
    try {
      plan =
          LivePlan.of(
              spec,
              config(),
              checkpoint.weightBytes(),
              new LivePlan.MachineFacts(
                  Cores.allowed().length, system.getTotalMemorySize(), new Gpus()),
              new ProbedCosts(weights, LivePlan.kv(spec, config())));
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
    long poolBytes = 0;
    for (Place place : plan.config().topology().places()) {
      boolean here = place.kind() != PlaceKind.DISK && !plan.gpus().containsKey(place.id());
      poolBytes += here ? place.blocks() * plan.kv().blockBytes() : 0;
    }
    requireHeap(plan.config());
    checkpoint.requireMemory(poolBytes, "KV pools");
    return plan;
  }

  private static void requireHeap(EngineConfig config) {
    long blocks = config.topology().places().stream().mapToLong(Place::blocks).sum();
    long heap = Runtime.getRuntime().maxMemory();
    if (blocks * HEAP_BYTES_PER_BLOCK > heap / 2) {
      throw new UsageException(
          "%,d KV blocks in all take %,d MiB of Java's heap, must take at most half of its %,d MiB: make --disk or --swap-space smaller or --block-size larger, or the heap larger with FUSESPILL_JAVA_OPTS=-Xmx…"
              .formatted(blocks, blocks * HEAP_BYTES_PER_BLOCK / MIB, heap / MIB));
    }
  }

  /// Has the kernels compiled before anything is measured.
  ///
  /// @param threads of each place of cores that computes or attends
  void warmUp(KvShape kv, Map<Integer, Integer> threads) {
    Integer first = threads.get(0);
    if (first != null) {
      CostProbe.warmUp(weights, kv, first);
    }
  }

  /// What an executor takes.
  ///
  /// @param threads of each place of cores that computes or attends
  /// @param gpuOf the GPU of each other device
  /// @param disks folder for the files of disks
  /// @param used places to which the policy can move KV
  /// @param touching whether their memory is taken at once, for benchmarks
  HostExecutor.Setup setup(
      EngineConfig config,
      KvShape kv,
      Map<Integer, Integer> threads,
      Map<Integer, Integer> gpuOf,
      Path disks,
      Set<Integer> used,
      boolean touching) {
    Map<Integer, Accelerator> accelerators = new TreeMap<>();
    gpuOf.forEach(
        (place, gpu) -> accelerators.put(place, gpus.accelerator(gpu, kv, config.limits())));
    return new HostExecutor.Setup(
        weights, config().eosIds(), tokenizer, kv, threads, disks, used, touching, accelerators);
  }

  /// The hardware of a place by the name that profiles have; null where nothing computes.
  @Nullable String hardware(Map<Integer, Integer> threads, Map<Integer, Integer> gpuOf, int place) {
    Integer gpu = gpuOf.get(place);
    if (gpu != null) {
      return gpus.name(gpu);
    }
    Integer own = threads.get(place);
    return own == null ? null : "%s:threads=%d".formatted(Share.KIND, own);
  }

  private final class Gpus implements LivePlan.Gpus {
    @Override
    public long kvBytes(int gpu, double utilisation, int devices, EngineLimits limits, KvShape kv) {
      return gpus.kvBytes(gpu, utilisation, devices, limits, kv);
    }

    @Override
    public StepCosts costs(int gpu, EngineLimits limits, KvShape kv) {
      return gpus.costs(gpu, limits, kv);
    }

    @Override
    public long bytesPerSecond(int gpu) {
      return gpus.bytesPerSecond(gpu);
    }

    @Override
    public long handOffNanos(int gpu, EngineLimits limits, KvShape kv) {
      return gpus.handOffNanos(gpu, limits, kv);
    }
  }

  Source source() {
    return source;
  }

  /// The shape, with the type that weights have on a GPU.
  ModelConfig config() {
    return config;
  }

  /// What the weights are in the checkpoint.
  ElementType weightType() {
    return checkpoint.config().weightType();
  }

  long weightBytes() {
    return checkpoint.weightBytes();
  }

  /// What the user should know about how the folder was taken, a line each.
  List<String> notes() {
    return checkpoint.notes();
  }

  /// The name of the folder.
  String name() {
    return String.valueOf(source.folder().toAbsolutePath().normalize().getFileName());
  }

  @Nullable Tokenizer tokenizer() {
    return tokenizer;
  }

  /// @throws UsageException if the model was loaded without one
  Tokenizer requireTokenizer() {
    if (tokenizer == null) {
      throw new UsageException(
          "%s has no tokenizer.json: name a folder that has it with --tokenizer"
              .formatted(source.folder()));
    }
    return tokenizer;
  }

  @Override
  public void close() {
    try (Tokenizer _ = tokenizer;
        Checkpoint _ = checkpoint;
        ModelWeights _ = weights) {
      gpus.close();
    }
  }
}
