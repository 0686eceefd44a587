package io.fusespill.cli;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.replay.calibrate.Base;
import io.fusespill.replay.calibrate.Measurements;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.calibrate.AiConfiguratorTables;
import io.fusespill.sim.calibrate.LlmServingSimTables;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Measured times in, a cost profile out.
@Command(
    name = "calibrate",
    mixinStandardHelpOptions = true,
    preprocessor = Underscores.class,
    description = {
      "Fits the times of steps and transfers to what journals of live runs tell, and writes them as a profile that 'simulate --time-model' and 'compare --profile' take.",
      "With --base the runs refine a profile that there is already, best one of 'profile-device': what they say nothing of is as there.",
      "With --tables it reads kernels that others measured: the folder of LLMServingSim's tables of a card and model, or of aiconfigurator's of a card.",
      "What it prints are errors on steps that the fit did not see, by kind of step: docs/calibration.md.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill calibrate runs/live -o profile.json",
      "  fusespill calibrate runs/live --base gpu.json -o refined.json",
      "  fusespill compare runs/other --profile refined.json",
      "  fusespill calibrate RTX4090/meta-llama/Llama-3.1-8B/bf16 --tables llmservingsim --model llama-3.1-8b --device rtx-4090 -o 4090.json",
      "  fusespill calibrate h200_sxm/vllm-0.24.0 --tables aiconfigurator --model llama-3.1-8b --device h200:tp=2 -o h200x2.json"
    })
final class CalibrateCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RUN|DIR",
      arity = "1..*",
      description =
          "Run directories, or journals themselves, of one model and one block size; with --tables one folder of tables.")
  private List<Path> sources;

  @Option(
      names = {"-o", "--out"},
      required = true,
      paramLabel = "FILE",
      description = "Profile to write.")
  private Path out;

  @Option(
      names = "--base",
      paramLabel = "FILE",
      description =
          "Profile of the same model, hardware and block size to refine, as 'profile-device' writes it.")
  private @Nullable Path base;

  @Option(
      names = "--tables",
      paramLabel = "KIND",
      description = "llmservingsim or aiconfigurator: whose kernel tables to read.")
  private @Nullable String tables;

  @Option(
      names = "--model",
      paramLabel = "M",
      description = "With --tables: a model profile or a Hugging Face config.json.")
  private @Nullable String model;

  @Option(
      names = "--device",
      paramLabel = "D[:tp=N]",
      description =
          "With --tables: the card's device profile or a .json file of one; tp=N for N of them, tensor-parallel (aiconfigurator).")
  private @Nullable String device;

  @Option(
      names = "--block-size",
      defaultValue = "16",
      paramLabel = "N",
      description = "With --tables: tokens a KV block holds (default 16).")
  private int blockSize;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "What the profile is called (default: the file's name).")
  private @Nullable String name;

  @Option(names = "--force", description = "Replace the file if it exists.")
  private boolean force;

  @Option(
      names = "--partial",
      description = "Read what is there of a journal that is still being written.")
  private boolean partial;

  @Option(
      names = "--json",
      description = "Print the profile as one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  CalibrateCommand() {}

  @Override
  public Integer call() {
    ProfileFile file = new ProfileFile(out, force);
    file.requireFree();
    RunFiles.requireOthers(sources, List.of(out));
    String called = file.profileName(name);
    FittedProfile profile = tables == null ? ofRuns(called) : ofTables(tables, called);
    file.write(profile);
    PrintWriter printed = spec.commandLine().getOut();
    if (json) {
      printed.println(ProfileFile.json(profile));
    } else {
      ProfileText.print(printed, profile);
      printed.println();
      printed.println("wrote %s".formatted(out));
    }
    printed.flush();
    ProfileText.note(spec.commandLine().getErr(), profile);
    return 0;
  }

  private FittedProfile ofTables(String kind, String called) {
    if (model == null || device == null || sources.size() != 1) {
      throw new UsageException(
          "--tables needs --model, --device and one folder: not all tables say which card and model they are of");
    }
    if (base != null) {
      throw new UsageException("--base goes with runs, not with --tables: leave one of them away");
    }
    TensorParallelGroup cards = DeviceSpec.parse(device).group();
    ModelProfile profile = ModelProfiles.named(model);
    Path folder = sources.getFirst();
    return switch (kind) {
      case "llmservingsim" -> {
        if (cards.size() > 1) {
          throw new UsageException(
              "--tables llmservingsim is of one card, --device %s is %d: leave tp away"
                  .formatted(device, cards.size()));
        }
        yield LlmServingSimTables.read(folder, called, cards, profile, blockSize);
      }
      case "aiconfigurator" -> AiConfiguratorTables.read(folder, called, cards, profile, blockSize);
      default ->
          throw new UsageException(
              "--tables is %s, must be llmservingsim or aiconfigurator".formatted(kind));
    };
  }

  private FittedProfile ofRuns(String called) {
    if (model != null || device != null) {
      throw new UsageException(
          "--model and --device go with --tables: journals say themselves what they are of");
    }
    Measurements measurements = new Measurements();
    Set<String> models = new LinkedHashSet<>();
    Map<String, String> hardware = new TreeMap<>();
    FittedProfile refined = base == null ? null : FittedProfile.read(base);
    EngineConfig config = null;
    Set<Boolean> padded = new LinkedHashSet<>();
    for (Path source : sources) {
      RecordedLiveRun run =
          RecordedLiveRun.read(source, partial, quiet, List.of(measurements::accept));
      models.add(run.model());
      config = run.start().config();
      padded.add(run.simulated());
      run.places()
          .forEach(place -> {
            String known = hardware.put(place.name(), run.hardware(place.name()));
            if (known != null && !known.equals(run.hardware(place.name()))) {
              throw new UsageException(
                  "place %s is %s in one run and %s in %s: calibrate each machine by itself"
                      .formatted(place.name(), known, run.hardware(place.name()), source));
            }
          });
    }
    if (models.size() > 1) {
      throw new UsageException(
          "the runs are of %s: a profile is of one model".formatted(String.join(" and ", models)));
    }
    if (padded.size() > 1) {
      throw new UsageException(
          "some of the runs are of models that ran and some of simulated devices: calibrate them apart");
    }
    if (refined != null
        && padded.contains(true)
        && refined.places().stream().noneMatch(FittedPlace::padded)) {
      throw new UsageException(
          "%s is of a model that ran and the runs are of simulated devices: --base goes with live runs of that machine"
              .formatted(base));
    }
    String origin =
        sources.stream()
            .map(source -> String.valueOf(source.toAbsolutePath().normalize().getFileName()))
            .collect(Collectors.joining(", "));
    String measured =
        "%,d steps and %,d transfers of %s"
            .formatted(measurements.steps(), measurements.transfers(), origin);
    FittedProfile profile =
        measurements.fit(
            called,
            models.iterator().next(),
            refined == null ? measured : "%s, over %s".formatted(measured, refined.source()),
            padded.contains(true),
            place -> hardware.getOrDefault(place, place),
            refined == null || config == null
                ? null
                : new Base(refined, GridShapes.within(refined, config)));
    ProfileText.noteLeftOut(spec.commandLine().getErr(), measurements);
    return profile;
  }
}
