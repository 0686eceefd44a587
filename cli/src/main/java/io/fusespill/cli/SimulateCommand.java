package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.journal.Durability;
import io.fusespill.replay.RunReport;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.traces.TraceReader;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// A trace in, journaled decisions and a report out.
@Command(
    name = "simulate",
    mixinStandardHelpOptions = true,
    description = {
      "Schedules a trace on simulated devices and reports what happened.",
      "Every decision goes through the ring into the run's journal, which 'verify', 'inspect' and 'dump' read.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Example:",
      "  fusespill simulate --trace conv.csv --model llama-3.1-8b --device rtx-4090 --policy continuous --json"
    })
final class SimulateCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(
      names = "--trace",
      required = true,
      paramLabel = "F",
      description = "Trace file, plain or gzip.")
  private Path trace;

  @Mixin private ScenarioOptions scenarioOptions;

  @Mixin private WorkloadOptions workloadOptions;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "Run directory (default: runs/TRACE-POLICY-DIGEST).")
  private @Nullable Path out;

  @Option(names = "--force", description = "Replace the run that the directory holds.")
  private boolean force;

  @Option(
      names = "--journal",
      defaultValue = "async",
      paramLabel = "MODE",
      completionCandidates = Candidates.Journals.class,
      description =
          "none: no run directory; async (default): written as the run goes; sync: on storage at the end of each batch.")
  private Durability journal;

  @Option(
      names = "--real-time",
      description = {
        "Let the wall clock pace the run: requests arrive and steps end when they are due.",
        "Two such runs differ, because inputs race; each verifies all the same."
      })
  private boolean realTime;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  SimulateCommand() {}

  @Override
  public Integer call() {
    String name = String.valueOf(trace.getFileName());
    ResolvedScenario scenario = scenarioOptions.resolve(workloadOptions.workload(trace).describe());
    if (realTime && PredictorKind.named(scenario.config().predictor()).oracle()) {
      throw new UsageException(
          "--predictor oracle needs true lengths, which nobody tells in --real-time: choose another predictor, or leave --real-time away");
    }
    ObjectNode figures = JsonNodeFactory.instance.objectNode();
    RunDirectory directory;
    RunReport report;
    try (TraceReader reader = workloadOptions.open(trace, scenarioOptions.seed())) {
      WorkloadOptions.requireRequest(trace, reader);
      directory = directory(scenario, name);
      if (directory != null) {
        directory.writeOptions(GivenOptions.of(spec.commandLine().getParseResult()));
      }
      try (ProgressLine progress = new ProgressLine("simulate", "requests", 0, quiet)) {
        report =
            new SimulatedRun(scenario, journal, directory, realTime).run(reader, progress, figures);
      }
    }
    if (json) {
      spec.commandLine().getOut().println(figures);
    } else {
      Summary.print(spec.commandLine().getOut(), report, figures, scenario, directory);
    }
    return 0;
  }

  private @Nullable RunDirectory directory(ResolvedScenario scenario, String name) {
    if (journal == Durability.NONE) {
      if (out != null) {
        throw new UsageException(
            "--out %s needs a journal: leave --journal none away".formatted(out));
      }
      return null;
    }
    if (out != null) {
      return RunDirectory.create(out, force);
    }
    String stem = name.replaceAll("(\\.(csv|jsonl?|gz))+$", "");
    Path standard =
        Path.of(
            "runs",
            "%s-%s-%s"
                .formatted(stem, scenarioOptions.policy(), scenario.digest().substring(0, 8)));
    return RunDirectory.create(standard, force);
  }
}
