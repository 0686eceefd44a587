package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.LoadFormat;
import io.fusespill.host.exec.DeviceBench;
import io.fusespill.host.exec.HostExecutor;
import io.fusespill.live.DeviceProfiler;
import io.fusespill.live.DeviceProfiler.Overlap;
import io.fusespill.live.LivePlan;
import io.fusespill.live.LiveSpec;
import io.fusespill.live.Share;
import io.fusespill.live.StepGrid;
import io.fusespill.replay.calibrate.Measurements;
import io.fusespill.sim.cost.FittedProfile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// A device in, a cost profile out.
@Command(
    name = "profile-device",
    mixinStandardHelpOptions = true,
    preprocessor = Underscores.class,
    description = {
      "Measures how long steps of a model and copies of KV blocks take on a device of this machine, and writes them as a profile that 'simulate --time-model' and 'compare --profile' take.",
      "Steps are a grid: decodes of 1 to 256 sequences by context, prompts, chunks of prompts that begin late, prompts beside decodes, and mixtures. They go through the device's own queue as a run's do, one at a time and two at a time; ring and journal are not in it, so refine the profile by a run: 'calibrate RUN --base'.",
      "Then copies of 1 block and more to host memory and back, and what copies and steps do to each other.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Keep the machine otherwise idle. A 7B model on an H100 takes about a minute; --quick a third of that.",
      "",
      "Examples:",
      "  fusespill profile-device --device cuda:0 --model models/vicuna-7b -o gpu.json",
      "  fusespill profile-device --device cuda:0 --model shapes/vicuna-7b --load-format dummy -o gpu.json",
      "  fusespill profile-device --device host:threads=8 --model models/TinyLlama --quick -o host.json",
      "  fusespill calibrate runs/live --base gpu.json -o refined.json",
      "  fusespill compare runs/other --profile refined.json"
    })
final class ProfileDeviceCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(
      names = "--device",
      required = true,
      paramLabel = "host|cuda:N[:blocks=N,threads=N]",
      description =
          "What to measure: cores of this machine, or a GPU; 'fusespill devices' lists them. Name and threads are those that runs will have.")
  private String device;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description = "Folder of a Hugging Face checkpoint: config.json and *.safetensors.")
  private Path model;

  @Option(
      names = "--load-format",
      defaultValue = "auto",
      paramLabel = "F",
      completionCandidates = Candidates.LoadFormats.class,
      description =
          "auto (default), safetensors, or dummy: random weights of the shape that config.json says.")
  private LoadFormat loadFormat;

  @Mixin private DtypeOption dtype;

  @Option(
      names = {"-o", "--out"},
      required = true,
      paramLabel = "FILE",
      description = "Profile to write.")
  private Path out;

  @Option(names = "--quick", description = "A coarser grid.")
  private boolean quick;

  @Option(
      names = "--max-num-seqs",
      paramLabel = "N",
      description = "Largest batch of decodes (default 256).")
  private @Nullable Integer maxNumSeqs;

  @Option(
      names = "--max-num-batched-tokens",
      paramLabel = "N",
      description = "Most tokens in a step (default 2048).")
  private @Nullable Integer maxNumBatchedTokens;

  @Option(
      names = "--max-model-len",
      paramLabel = "N",
      description = "Longest sequence (default: the model's).")
  private @Nullable Integer maxModelLen;

  @Option(
      names = "--block-size",
      paramLabel = "N",
      description = "Tokens a KV block holds (default 16); a profile is of one block size.")
  private @Nullable Integer blockSize;

  @Option(
      names = "--swap-space",
      defaultValue = "4",
      paramLabel = "GIB",
      description = "Host memory to copy to and from in GiB (default 4); 0 measures no copies.")
  private double swapSpace;

  @Option(
      names = "--gpu-memory-utilization",
      defaultValue = "0.9",
      paramLabel = "U",
      description =
          "Share of the memory for weights and KV where there is no blocks=N (default 0.9).")
  private double utilisation;

  @Option(
      names = "--seed",
      defaultValue = "0",
      paramLabel = "N",
      description = "Seed of tokens, blocks, drawn steps and dummy weights (default 0).")
  private long seed;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "What the profile is called (default: the file's name).")
  private @Nullable String name;

  @Option(names = "--force", description = "Replace the file if it exists.")
  private boolean force;

  @Option(
      names = "--json",
      description =
          "Print one JSON object and nothing else on standard output: the profile, and what copies and steps do to each other.")
  private boolean json;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  ProfileDeviceCommand() {}

  @Override
  public Integer call() {
    ProfileFile file = new ProfileFile(out, force);
    file.requireFree();
    LiveSpec live = spec();
    LiveOptions.noteThreads(spec, live);
    ElementType type = dtype.type(live.devices());
    Measurements measurements = new Measurements();
    FittedProfile profile;
    List<Overlap> overlaps;
    try (LoadedModel loaded =
        LoadedModel.open(new LoadedModel.Source(model, null, loadFormat, seed, type), false)) {
      LiveOptions.noteModel(spec, loaded);
      LivePlan plan = loaded.plan(live);
      loaded.warmUp(plan.kv(), plan.threads());
      overlaps = measure(loaded, plan, measurements);
      profile =
          measurements.fit(
              file.profileName(name),
              loaded.name(),
              "profile-device%s%s, %,d steps and %,d copies"
                  .formatted(
                      type == null ? "" : " --dtype " + type.label(),
                      quick ? " --quick" : "",
                      measurements.steps(),
                      measurements.transfers()),
              false,
              place -> String.valueOf(loaded.hardware(plan.threads(), plan.gpus(), 0)));
    }
    file.write(profile);
    PrintWriter printed = spec.commandLine().getOut();
    if (json) {
      printed.println(toJson(profile, overlaps));
    } else {
      ProfileText.print(printed, profile);
      print(printed, overlaps);
      printed.println();
      printed.println("wrote %s".formatted(out));
    }
    printed.flush();
    ProfileText.noteLeftOut(spec.commandLine().getErr(), measurements);
    ProfileText.note(spec.commandLine().getErr(), profile);
    return 0;
  }

  private LiveSpec spec() {
    return new LiveSpec(
        List.of(Share.parse(device)),
        List.of(),
        null,
        swapSpace,
        0,
        utilisation,
        null,
        PolicySpec.of(PolicyKind.CONTINUOUS.label()),
        new LiveSpec.Limits(
            ScenarioOptions.given("--block-size", blockSize),
            ScenarioOptions.given("--max-num-seqs", maxNumSeqs),
            ScenarioOptions.given("--max-num-batched-tokens", maxNumBatchedTokens),
            ScenarioOptions.given("--max-model-len", maxModelLen),
            0,
            0,
            ""));
  }

  private List<Overlap> measure(LoadedModel loaded, LivePlan plan, Measurements measurements) {
    Set<Integer> all =
        plan.config().topology().places().stream().map(Place::id).collect(Collectors.toSet());
    HostExecutor.Setup setup =
        loaded.setup(plan.config(), plan.kv(), plan.threads(), plan.gpus(), Path.of(""), all, true);
    List<List<DeviceBench.Part>> grid =
        StepGrid.of(
            StepGrid.Bounds.of(plan.config()),
            quick ? StepGrid.Fineness.QUICK : StepGrid.Fineness.FULL,
            seed);
    try (DeviceBench bench = new DeviceBench(setup, plan.config(), seed, measurements::accept)) {
      ProgressLine[] line = new ProgressLine[1];
      DeviceProfiler profiler =
          new DeviceProfiler(bench, plan.config(), grid, done -> line[0].at(done));
      try (ProgressLine progress =
          new ProgressLine("profile-device", "sizes", profiler.total(), quiet || json)) {
        line[0] = progress;
        return profiler.run();
      }
    }
  }

  private static void print(PrintWriter out, List<Overlap> overlaps) {
    if (overlaps.isEmpty()) {
      return;
    }
    out.println();
    Table table =
        new Table()
            .row("a copy beside steps", "step, ms", "beside, ms", "", "copy, ms", "beside, ms", "");
    for (Overlap each : overlaps) {
      table.row(
          "%s > %s, %,d blocks, %,d decodes"
              .formatted(each.from(), each.to(), each.blocks(), each.decodes()),
          "%,.3f".formatted(each.stepNanos() / 1e6),
          "%,.3f".formatted(each.stepBesideNanos() / 1e6),
          FigureTable.signed("%.1f".formatted(each.stepPercent())) + " %",
          "%,.3f".formatted(each.copyNanos() / 1e6),
          "%,.3f".formatted(each.copyBesideNanos() / 1e6),
          FigureTable.signed("%.1f".formatted(each.copyPercent())) + " %");
    }
    table.print(out);
  }

  private static ObjectNode toJson(FittedProfile profile, List<Overlap> overlaps) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("profile", ProfileFile.json(profile));
    json.putArray("overlaps");
    for (Overlap each : overlaps) {
      ObjectNode node = json.withArray("overlaps").addObject();
      node.put("from", each.from());
      node.put("to", each.to());
      node.put("blocks", each.blocks());
      node.put("decodes", each.decodes());
      node.put("step_nanos", each.stepNanos());
      node.put("step_beside_nanos", each.stepBesideNanos());
      node.put("copy_nanos", each.copyNanos());
      node.put("copy_beside_nanos", each.copyBesideNanos());
    }
    return json;
  }
}
