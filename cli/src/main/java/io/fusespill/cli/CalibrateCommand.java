package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.replay.calibrate.Measurements;
import io.fusespill.sim.cost.FittedProfile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
    description = {
      "Fits the times of steps and transfers to what journals of live runs tell, and writes them as a profile that 'simulate --time-model' and 'compare' take.",
      "What it prints are errors on steps that the fit did not see, by kind of step: docs/calibration.md.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill calibrate runs/live -o profile.json",
      "  fusespill compare runs/other --profile profile.json"
    })
final class CalibrateCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RUN",
      arity = "1..*",
      description = "Run directories, or journals themselves; of one model and one block size.")
  private List<Path> sources;

  @Option(
      names = {"-o", "--out"},
      required = true,
      paramLabel = "FILE",
      description = "Profile to write.")
  private Path out;

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
    if (Files.exists(out) && !force) {
      throw new UsageException(
          "%s exists: choose another file, or replace it with --force".formatted(out));
    }
    FittedProfile profile = ofRuns();
    String text = profile.toJson();
    try {
      Files.writeString(out, text, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UsageException("cannot write %s: %s".formatted(out, e.getMessage()), e);
    }
    PrintWriter printed = spec.commandLine().getOut();
    if (json) {
      printed.println(oneLine(text));
    } else {
      ProfileText.print(printed, profile);
      printed.println();
      printed.println("wrote %s".formatted(out));
    }
    printed.flush();
    return 0;
  }

  private static String oneLine(String text) {
    try {
      return new ObjectMapper().readTree(text).toString();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a profile is no JSON", e);
    }
  }

  private String profileName() {
    return name == null ? String.valueOf(out.getFileName()).replaceAll("\\.json$", "") : name;
  }

  private FittedProfile ofRuns() {
    Measurements measurements = new Measurements();
    Set<String> models = new LinkedHashSet<>();
    Map<String, String> hardware = new TreeMap<>();
    for (Path source : sources) {
      LiveRun run = LiveRun.read(source, partial, quiet, List.of(measurements::accept));
      models.add(run.model());
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
    String origin =
        sources.stream()
            .map(source -> String.valueOf(source.toAbsolutePath().normalize().getFileName()))
            .collect(Collectors.joining(", "));
    return measurements.fit(
        profileName(),
        models.iterator().next(),
        "%,d steps and %,d transfers of %s"
            .formatted(measurements.steps(), measurements.transfers(), origin),
        place -> hardware.getOrDefault(place, place));
  }
}
