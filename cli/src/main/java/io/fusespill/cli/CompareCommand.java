package io.fusespill.cli;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.calibrate.ForetoldSteps;
import io.fusespill.replay.calibrate.Measurements;
import io.fusespill.replay.calibrate.Resimulation;
import io.fusespill.replay.whatif.LengthsCsv;
import io.fusespill.replay.whatif.RecordedRequests;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// A live run beside the simulation of it.
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    preprocessor = Underscores.class,
    description = {
      "Simulates a live run's requests again, under the run's own configuration and with the times of a profile, and prints how far the simulation is off.",
      "Arrivals, cancellations and true output lengths are those of the run. Without --profile the times are fitted to the run itself, which shows what the fit leaves, not what it foretells.",
      "Below the figures stand the run's own steps, each foretold by itself: if these are off, the profile is, or the machine was not as fast as when it was measured.",
      "A policy that decides by time may decide otherwise where a step takes a microsecond more: --spread shows which figures hang on that.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill compare runs/other --profile profile.json",
      "  fusespill compare runs/other --profile profile.json --within throughput=3,latency=5",
      "  fusespill compare runs/other --profile profile.json --spread 20",
      "  fusespill compare runs/other --profile profile.json --own-speed"
    })
final class CompareCommand implements Callable<Integer> {

  /// How much shorter and longer `--spread` makes steps: about what a profile is off.
  static final double STRETCH = 0.005;

  private static final int SPREAD_MAX = 1_000;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "LIVE_RUN", description = "Run directory, or a journal itself.")
  private Path run;

  @Option(
      names = "--profile",
      paramLabel = "FILE",
      description = "Profile that 'calibrate' wrote (default: fitted to the run itself).")
  private @Nullable Path profileFile;

  @Option(
      names = "--within",
      split = ",",
      paramLabel = "KIND=PERCENT",
      description =
          "End with code 1 where throughput, or a latency's mean, is off by more: throughput=3,latency=5.")
  private Map<String, Double> within = new LinkedHashMap<>();

  @Option(
      names = "--spread",
      paramLabel = "N",
      description =
          "Simulate N times more, with all steps from 0.5 %% shorter to 0.5 %% longer, and print the least, the median and the greatest of each figure (2 to 1,000; default: not at all).")
  private @Nullable Integer spread;

  @Option(
      names = "--own-speed",
      description =
          "Simulate once more with each device's steps made as long, on the whole, as the run's own steps were (one without measured steps as the profile has them): what is off then is not the level of step times.")
  private boolean ownSpeed;

  @Option(
      names = "--partial",
      description = "Read what is there of a journal that is still being written.")
  private boolean partial;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  CompareCommand() {}

  @Override
  public Integer call() {
    requireKnownKinds();
    if (spread != null && (spread < 2 || spread > SPREAD_MAX)) {
      throw new UsageException(
          "--spread is %,d, must be 2 to %,d simulations".formatted(spread, SPREAD_MAX));
    }
    Latencies latencies = new Latencies(outcome -> {});
    RunMetrics metrics = new RunMetrics(latencies);
    RecordedRequests requests = new RecordedRequests();
    Measurements measurements = new Measurements();
    RecordedLiveRun live =
        RecordedLiveRun.read(
            run, partial, quiet, List.of(metrics::accept, requests::accept, measurements::accept));
    if (requests.size() == 0) {
      throw new UsageException("%s holds no request that could arrive again".formatted(run));
    }
    FittedProfile profile =
        profileFile == null
            ? measurements.fit(
                "itself", live.model(), String.valueOf(run), live.simulated(), live::hardware)
            : FittedProfile.read(profileFile);
    List<Arrival> arrivals = requests.arrivals(lengths());
    Resimulation simulated;
    List<Map<String, Object>> others = new ArrayList<>();
    List<ForetoldSteps> steps = steps(live, profile, measurements);
    Map<String, Object> atOwnSpeed = null;
    int runs = 1 + (spread == null ? 0 : spread) + (ownSpeed ? 1 : 0);
    try (ProgressLine progress =
        new ProgressLine("simulate", "requests", (long) runs * arrivals.size(), quiet)) {
      simulated = simulate(live, profile, place -> 1, arrivals, 0, progress);
      long before = arrivals.size();
      if (ownSpeed) {
        Map<String, Double> factors =
            steps.stream().collect(Collectors.toMap(ForetoldSteps::place, ForetoldSteps::factor));
        atOwnSpeed =
            simulate(
                    live,
                    profile,
                    place -> factors.getOrDefault(place, 1.0),
                    arrivals,
                    before,
                    progress)
                .report()
                .figures();
        before += arrivals.size();
      }
      for (int i = 0; spread != null && i < spread; i++) {
        double factor = 1 + STRETCH * (2.0 * i / (spread - 1) - 1);
        others.add(
            simulate(live, profile, place -> factor, arrivals, before, progress)
                .report()
                .figures());
        before += arrivals.size();
      }
    }
    Comparison comparison =
        new Comparison(
            run,
            profileFile,
            live,
            profile,
            requests,
            new RunReport(metrics, latencies).figures(),
            simulated,
            steps,
            atOwnSpeed,
            others);
    List<String> beyond = comparison.beyond(within);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(comparison.toJson(beyond));
    } else {
      comparison.print(out, beyond);
    }
    out.flush();
    return beyond.isEmpty() ? 0 : 1;
  }

  private void requireKnownKinds() {
    within.forEach((kind, percent) -> {
      if (!kind.equals(Comparison.THROUGHPUT) && !kind.equals(Comparison.LATENCY)) {
        throw new UsageException(
            "--within has no kind '%s', must be throughput or latency".formatted(kind));
      }
      if (!(percent >= 0 && percent < Double.POSITIVE_INFINITY)) {
        throw new UsageException(
            "--within %s is %s, must be per cent of at least 0".formatted(kind, percent));
      }
    });
  }

  private Map<Integer, LengthsCsv.Lengths> lengths() {
    Path file = new RunDirectory(run).lengths();
    try {
      return Files.exists(file) ? LengthsCsv.read(file) : Map.of();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private static Resimulation simulate(
      RecordedLiveRun live,
      FittedProfile profile,
      ToDoubleFunction<String> factor,
      List<Arrival> arrivals,
      long before,
      ProgressLine progress) {
    return Resimulation.of(
        live.start(),
        models(live, profile, factor),
        profile.links(),
        profile.submitLatency(),
        arrivals,
        (arrived, alive, now) -> progress.at(before + arrived - alive));
  }

  /// What each place's steps take, times the place's factor.
  private static List<FittedModel> models(
      RecordedLiveRun live, FittedProfile profile, ToDoubleFunction<String> factor) {
    List<FittedModel> models = new ArrayList<>();
    for (Place place : live.places()) {
      models.add(
          place.computes()
              ? new FittedModel(
                  fitted(live, profile, place).stretched(factor.applyAsDouble(place.name())))
              : models.getFirst());
    }
    return models;
  }

  private static FittedPlace fitted(RecordedLiveRun live, FittedProfile profile, Place place) {
    return profile.place(
        place.name(),
        live.hardware(place.name()),
        live.model(),
        live.start().config().kv().blockTokens());
  }

  private static List<ForetoldSteps> steps(
      RecordedLiveRun live, FittedProfile profile, Measurements measurements) {
    List<ForetoldSteps> steps = new ArrayList<>();
    for (Place place : live.places()) {
      ForetoldSteps of =
          place.computes()
              ? measurements.foretold(
                  place.name(), fitted(live, profile, place), profile.queuedNanos())
              : null;
      if (of != null) {
        steps.add(of);
      }
    }
    return steps;
  }
}
