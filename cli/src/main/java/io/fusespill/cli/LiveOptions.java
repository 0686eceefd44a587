package io.fusespill.cli;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.PolicyOption;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.LoadFormat;
import io.fusespill.host.kernel.Cores;
import io.fusespill.journal.Durability;
import io.fusespill.live.LivePlan;
import io.fusespill.live.LiveSpec;
import io.fusespill.live.Share;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// A model and the machine that runs it: what all live runs are asked for, by vLLM's names where
/// vLLM has them.
final class LiveOptions {

  private static final int STEPS_MAX = 8;
  private static final int CHECKPOINT_EVENTS = 65_536;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description =
          "Folder of a Hugging Face checkpoint: config.json and *.safetensors (docs/live.md).")
  private Path model;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      description = "Folder with tokenizer.json (default: the model's).")
  private @Nullable Path tokenizer;

  @Option(
      names = "--load-format",
      defaultValue = "auto",
      paramLabel = "F",
      completionCandidates = Candidates.LoadFormats.class,
      description =
          "auto (default), safetensors, or dummy: random weights of the shape that config.json says, to measure a model's speed without its weights.")
  private LoadFormat loadFormat;

  @Option(
      names = "--device",
      paramLabel = "host|cuda:N[#M][:blocks=N,threads=N]",
      description =
          "A device with a pool of KV blocks: cores of this machine (default: host, all of it) or a GPU, cuda:0; cuda:0#2 is a second device on the same GPU. May be given again; without blocks=N a pool takes what memory has room for. 'fusespill devices' lists them.")
  private List<String> devices = new ArrayList<>();

  @Option(
      names = {"--gpu-blocks", "--num-gpu-blocks-override"},
      paramLabel = "N",
      description = "KV blocks of the first device: the same as blocks=N of its --device.")
  private @Nullable Integer gpuBlocks;

  @Option(
      names = "--aux",
      paramLabel = "host|cuda:N[:…]",
      description =
          "An auxiliary device, spelt as for --device; its name tells policies what it is for. May be given again.")
  private List<String> auxiliary = new ArrayList<>();

  @Option(
      names = "--multi-worker",
      arity = "0..1",
      fallbackValue = "true",
      defaultValue = "false",
      paramLabel = "true|false",
      description = "The same as --aux host where no --aux is given.")
  private boolean multiWorker;

  @Option(
      names = "--attention",
      arity = "0..1",
      fallbackValue = Share.KIND,
      paramLabel = "host[:threads=N]",
      description =
          "Let host memory attend: decode attention over the KV that lies there (default: it only keeps swapped KV).")
  private @Nullable String attention;

  @Option(
      names = "--swap-space",
      defaultValue = "4",
      paramLabel = "GIB",
      description = "Host memory for swapped KV in GiB (default 4); 0 for none.")
  private double swapSpace;

  @Option(
      names = "--disk",
      defaultValue = "0",
      paramLabel = "GIB",
      description =
          "Room for KV on disk behind that in GiB (default none), in a file in the run's folder.")
  private double disk;

  @Option(
      names = "--gpu-memory-utilization",
      defaultValue = "0.9",
      paramLabel = "U",
      description =
          "Share of a GPU's memory for weights and KV, and of the machine's for weights, swap space and KV, where a device has no blocks=N (default 0.9).")
  private double utilisation;

  @Mixin private DtypeOption dtype;

  @Option(
      names = "--kv-cache-dtype",
      defaultValue = "auto",
      paramLabel = "T",
      description =
          "How KV is stored: f32, bf16, f16, also spelt float32, bfloat16, float16 and half, or auto (default): what a GPU computes in where one is among the devices, else f32.")
  private String kvType;

  @Option(
      names = "--policy",
      defaultValue = ScenarioOptions.DEFAULT_POLICY,
      paramLabel = "P",
      completionCandidates = Candidates.Policies.class,
      description = "vllm-0.2.7, continuous (default), fusespill or fusespill-artifact.")
  private String policy;

  @Option(
      names = "--policy-option",
      paramLabel = "K=V",
      description =
          "An option of the policy, for example preemption=swap of vllm-0.2.7; 'fusespill profile --policies' lists them.")
  private Map<String, String> policyOptions = new LinkedHashMap<>();

  @Option(
      names = "--predictor",
      defaultValue = "",
      paramLabel = "P",
      description =
          "Length predictor: kaplan-meier (default under fusespill), declared, last-value, maximum, none, or oracle, for benchmarks, whose lengths are known.")
  private String predictor;

  @Option(
      names = {"--depth", "--async-submit"},
      paramLabel = "N",
      description =
          "Steps that a device may have queued or running, 1 to 8 (default 1, under fusespill 2, under fusespill-artifact 6).")
  private @Nullable Integer depth;

  @Option(
      names = "--max-num-seqs",
      paramLabel = "N",
      description = "Sequences running on a device at most (default 256).")
  private @Nullable Integer maxNumSeqs;

  @Option(
      names = "--max-num-batched-tokens",
      paramLabel = "N",
      description =
          "Tokens in a step at most (default 2048; under vllm-0.2.7 and fusespill-artifact at least the longest sequence).")
  private @Nullable Integer maxNumBatchedTokens;

  @Option(
      names = "--max-model-len",
      paramLabel = "N",
      description = "Prompt plus output of a sequence at most (default: the model's).")
  private @Nullable Integer maxModelLen;

  @Option(
      names = "--block-size",
      paramLabel = "N",
      description = "Tokens a KV block holds (default 16).")
  private @Nullable Integer blockSize;

  @Option(
      names = "--seed",
      defaultValue = "0",
      paramLabel = "N",
      description = "Seed of sampling, of drawn requests and of dummy weights (default 0).")
  private long seed;

  @Option(
      names = {"--tensor-parallel-size", "-tp"},
      defaultValue = "1",
      paramLabel = "N",
      description = "Accepted with 1: this machine's cores are one device.")
  private int tensorParallel;

  @Option(
      names = "--worker-use-ray",
      arity = "0..1",
      fallbackValue = "true",
      defaultValue = "false",
      paramLabel = "true|false",
      description = "Accepted with false: devices are threads of this process.")
  private boolean workerUseRay;

  @Option(
      names = "--journal",
      defaultValue = "async",
      paramLabel = "MODE",
      completionCandidates = Candidates.Journals.class,
      description =
          "none: no run folder; async (default): written as the run goes; sync: on storage at the end of each batch.")
  private Durability journal;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description =
          "Run folder: journal, requests, outputs and figures, for verify, explain, report, resume and the rest.")
  private @Nullable Path out;

  @Option(names = "--force", description = "Replace the run that the folder holds.")
  private boolean force;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(
      names = {"--disable-log-stats", "--quiet"},
      description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  LiveOptions() {}

  /// The model that is asked for, loaded.
  ///
  /// @param spec of [#spec]
  /// @param textNeeded whether it is no use without a tokenizer
  /// @throws UsageException if what is asked for cannot be had here
  /// @throws io.fusespill.host.checkpoint.CheckpointException if the model cannot be used
  LoadedModel load(LiveSpec spec, boolean textNeeded) {
    if (tensorParallel != 1) {
      throw new UsageException(
          "--tensor-parallel-size is %d, must be 1: one model over several devices is not possible yet; --device and --aux run a model on each"
              .formatted(tensorParallel));
    }
    if (workerUseRay) {
      throw new UsageException(
          "--worker-use-ray is true, must be false: devices are threads of this process, leave it away");
    }
    if (journal == Durability.NONE && out != null) {
      throw new UsageException(
          "--out %s needs a journal: leave --journal none away".formatted(out));
    }
    if (out != null) {
      RunDirectory.check(out, force);
    }
    List<Share> shares = new ArrayList<>(spec.devices());
    shares.addAll(spec.auxiliary());
    noteThreads(command, spec);
    LoadedModel loaded =
        LoadedModel.open(
            new LoadedModel.Source(model, tokenizer, loadFormat, seed, dtype.type(shares)),
            textNeeded);
    noteModel(command, loaded);
    return loaded;
  }

  /// Says what the user should know about how the model's folder was taken.
  static void noteModel(CommandSpec command, LoadedModel loaded) {
    loaded.notes().forEach(note -> command.commandLine().getErr().println("fusespill: " + note));
  }

  /// What becomes of a specification on this machine; says which of the options given are of no use
  /// under the policy.
  ///
  /// @param spec of [#spec]
  /// @param samples of a prompt at most
  LivePlan plan(LoadedModel loaded, LiveSpec spec, int samples) {
    LivePlan plan = loaded.plan(spec);
    SchedulingPolicy serving = PolicyKind.create(plan.config());
    Set<PlaceKind> used = EnumSet.noneOf(PlaceKind.class);
    for (Place place : plan.config().topology().places()) {
      if (serving.uses(place, samples)) {
        used.add(place.kind());
      }
    }
    List<String> useless = new ArrayList<>();
    boolean swapGiven = command.commandLine().getParseResult().hasMatchedOption("--swap-space");
    if (swapSpace > 0 && swapGiven && !used.contains(PlaceKind.HOST)) {
      useless.add("--swap-space");
    }
    if (disk > 0 && !used.contains(PlaceKind.DISK)) {
      useless.add("--disk");
    }
    if (attention != null && !policyKind().attends()) {
      useless.add("--attention");
    }
    if (!useless.isEmpty()) {
      command
          .commandLine()
          .getErr()
          .println(
              "fusespill: policy %s makes no use of %s here: leave that away, or choose --policy fusespill"
                  .formatted(policy, String.join(", ", useless)));
    }
    return plan;
  }

  /// Says where a place has more threads than there are cores: legal, as everywhere, and slow.
  static void noteThreads(CommandSpec command, LiveSpec spec) {
    int cores = Cores.allowed().length;
    List<Share> places = new ArrayList<>(spec.devices());
    places.addAll(spec.auxiliary());
    if (spec.attention() != null) {
      places.add(spec.attention());
    }
    int threads = places.stream().mapToInt(Share::threads).max().orElse(0);
    if (threads > cores) {
      command
          .commandLine()
          .getErr()
          .println(
              "fusespill: threads=%,d, and this process may use %,d cores: steps take longer than with one thread a core; leave threads away for that"
                  .formatted(threads, cores));
    }
  }

  /// What is to be run.
  ///
  /// @param predictor in the place of the policy's own where --predictor is not given; empty for
  ///   that
  /// @throws UsageException if a value is not legal
  LiveSpec spec(String predictor) {
    PolicyKind kind = policyKind();
    if (!this.predictor.isEmpty()) {
      ScenarioOptions.requireKnown("predictor", this.predictor, PredictorKind.labels());
    }
    List<String> shares = new ArrayList<>(auxiliary);
    if (multiWorker && shares.isEmpty()) {
      shares.add(Share.KIND);
    }
    return new LiveSpec(
        devices(),
        shares.stream().map(Share::parse).toList(),
        attention(),
        swapSpace,
        disk,
        utilisation,
        kvType(),
        new PolicySpec(kind.label(), new TreeMap<>(policyOptions)),
        new LiveSpec.Limits(
            ScenarioOptions.given("--block-size", blockSize),
            ScenarioOptions.given("--max-num-seqs", maxNumSeqs),
            ScenarioOptions.given("--max-num-batched-tokens", maxNumBatchedTokens),
            ScenarioOptions.given("--max-model-len", maxModelLen),
            CHECKPOINT_EVENTS,
            depth == null ? 0 : ScenarioOptions.within("--depth", depth, 1, STEPS_MAX),
            this.predictor.isEmpty() ? predictor : this.predictor));
  }

  private List<Share> devices() {
    List<Share> shares = new ArrayList<>(devices.stream().map(Share::parse).toList());
    if (shares.isEmpty()) {
      shares.add(Share.WHOLE);
    }
    if (gpuBlocks != null) {
      Share first = shares.getFirst();
      if (first.blocks() > 0) {
        throw new UsageException(
            "--gpu-blocks is %,d, and --device %s says how many, too: leave one of them away"
                .formatted(gpuBlocks, devices.getFirst()));
      }
      int blocks = ScenarioOptions.within("--gpu-blocks", gpuBlocks, 1, Place.MAX_BLOCKS);
      shares.set(0, new Share(first.gpu(), first.part(), blocks, first.threads()));
    }
    return shares;
  }

  private @Nullable Share attention() {
    if (attention == null) {
      return null;
    }
    Share share = Share.parse(attention);
    if (share.blocks() > 0) {
      throw new UsageException(
          "--attention %s: the blocks of host memory follow from --swap-space, leave blocks=%d away"
              .formatted(attention, share.blocks()));
    }
    return share;
  }

  private @Nullable ElementType kvType() {
    if (kvType.equals("auto")) {
      return null;
    }
    ElementType type = DtypeOption.named(kvType);
    if (type == null) {
      throw new UsageException(
          "--kv-cache-dtype is \"%s\", must be auto, f32, bf16 or f16".formatted(kvType));
    }
    return type;
  }

  private PolicyKind policyKind() {
    ScenarioOptions.requireKnown("policy", policy, PolicyKind.labels());
    PolicyKind kind = PolicyKind.named(policy);
    List<String> options = kind.options().stream().map(PolicyOption::name).toList();
    for (String name : policyOptions.keySet()) {
      ScenarioOptions.requireKnown("option of policy " + policy, name, options);
    }
    return kind;
  }

  /// The predictor that the run would have if none is named elsewhere.
  PredictorKind predictor() {
    return predictor.isEmpty() ? policyKind().predictor() : PredictorKind.named(predictor);
  }

  boolean predictorGiven() {
    return !predictor.isEmpty();
  }

  /// What of these a simulation takes, too: what `whatif` lays other options over.
  GivenOptions simulated(LiveSpec spec) {
    GivenOptions given =
        new GivenOptions(List.of())
            .and("--model", model.resolve("config.json").toAbsolutePath().normalize().toString())
            .and("--policy", policy);
    for (Map.Entry<String, String> option : policyOptions.entrySet()) {
      given = given.and("--policy-option", option.getKey() + "=" + option.getValue());
    }
    given = given.and("--seed", String.valueOf(seed));
    given = and(given, "--predictor", spec.limits().predictor());
    given = and(given, "--depth", depth);
    given = and(given, "--max-num-seqs", maxNumSeqs);
    given = and(given, "--max-num-batched-tokens", maxNumBatchedTokens);
    given = and(given, "--max-model-len", maxModelLen);
    return and(given, "--block-size", blockSize);
  }

  private static GivenOptions and(GivenOptions given, String name, @Nullable Object value) {
    String text = value == null ? "" : value.toString();
    return text.isEmpty() ? given : given.and(name, text);
  }

  String policy() {
    return policy;
  }

  long seed() {
    return seed;
  }

  /// How events are kept in a run's folder.
  Durability journal() {
    return journal;
  }

  /// The folder that is asked for, null for none.
  @Nullable Path out() {
    return out;
  }

  boolean force() {
    return force;
  }

  boolean json() {
    return json;
  }

  boolean quiet() {
    return quiet;
  }
}
