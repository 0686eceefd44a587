package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.replay.explain.Wording;
import io.fusespill.sweep.LocalEngine;
import io.fusespill.sweep.Sweep;
import io.fusespill.sweep.SweepDirectory;
import io.fusespill.sweep.SweepEngine;
import io.fusespill.sweep.SweepEngines;
import io.fusespill.sweep.SweepPlan;
import io.fusespill.sweep.SweepSpec;
import io.fusespill.sweep.TraceCache;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// A grid of scenarios, run to tables that other programs read.
@Command(
    name = "sweep",
    mixinStandardHelpOptions = true,
    description = {
      "Runs every scenario of a specification and writes one table, as Parquet and CSV.",
      "",
      "The specification names axes, and each combination of their values is a scenario:",
      "platforms, models, workloads, rates, policies with options, seeds. 'slo' names the",
      "latencies to keep, from which goodput follows. Finished scenarios are kept as they come:",
      "stopped at any moment and started again, a sweep goes on where it was. A scenario that",
      "fails is listed and stops no other.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "A specification (specs/sweep.yaml explains every key):",
      "  platforms: [{name: 1xa10, devices: [a10], swap-space: 16}]",
      "  models:    [vicuna-7b]",
      "  workloads: [{name: chat, lengths: sharegpt, max-total: 1512, requests: 1000}]",
      "  rates:     [1, 2, 4]                  # requests a second",
      "  policies:",
      "    - {policy: vllm-0.2.7, options: {preemption: [swap, recompute]}}   # two rows",
      "    - {policy: fusespill}",
      "  seeds:     [1, 2, 3]",
      "  slo:       {ttft: {p99: 2s}, tpot: {p90: 100ms}}",
      "",
      "Then:",
      "  fusespill sweep specs/sweep.yaml",
      "  fusespill pareto sweeps/sweep",
      "  python3 -c \"import pandas; print(pandas.read_parquet('sweeps/sweep/results.parquet'))\"",
      "",
      "Exit codes: 0 all scenarios finished, 1 some failed (or internal error), 2 wrong usage or input.",
      "The columns and their units: docs/sweeps.md."
    })
final class SweepCommand implements Callable<Integer> {

  private static final int SCENARIO_FAILED = 1;
  private static final int REASONS_SHOWN = 10;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "SPEC", description = "Specification, a YAML file.")
  private Path file;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "Folder for the sweep (default: sweeps/NAME of the specification).")
  private @Nullable Path out;

  @Mixin private SearchOptions search;

  @Option(
      names = "--engine",
      defaultValue = LocalEngine.NAME,
      paramLabel = "NAME",
      completionCandidates = Candidates.Engines.class,
      description =
          "What runs the scenarios: local, threads of this process (default), or spark, Apache Spark.")
  private String engine;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Where the executors of --engine spark are: local[N] or spark://HOST:PORT.")
  private @Nullable String master;

  @Option(
      names = "--force",
      description =
          "Use the folder although it holds another sweep; finished scenarios that both have are kept.")
  private boolean force;

  @Option(
      names = "--dry-run",
      description = "Check the specification and every trace, say what would run, and stop.")
  private boolean dryRun;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  SweepCommand() {}

  @Override
  public Integer call() {
    long startNanos = System.nanoTime();
    SweepEngine chosen = SweepEngines.named(engine);
    if (master != null && !chosen.takesMaster()) {
      throw new UsageException(
          "--master %s is not for engine %s, which has no cluster: leave it away, or choose another --engine"
              .formatted(master, chosen.name()));
    }
    SweepSpec sweep = search.apply(SweepSpec.read(SearchOptions.require(file)));
    TraceCache traces = new TraceCache();
    SweepPlan plan = SweepPlan.of(sweep, traces);
    PrintWriter print = spec.commandLine().getOut();
    if (dryRun) {
      print.println(
          "%s: %s, %s; nothing was run"
              .formatted(
                  sweep.name(),
                  Wording.count(plan.tasks().size(), "scenario"),
                  Wording.count(plan.requests(), "request")));
      plan.notes().forEach(print::println);
      print.flush();
      return 0;
    }
    Path directory = out == null ? Path.of("sweeps", sweep.name()) : out;
    Sweep.Outcome outcome = run(plan, traces, directory, chosen);
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    if (json) {
      print.println(json(plan, outcome, directory, seconds));
    } else {
      print(print, plan, outcome, directory, seconds);
    }
    print.flush();
    return outcome.failures().isEmpty() ? 0 : SCENARIO_FAILED;
  }

  private Sweep.Outcome run(SweepPlan plan, TraceCache traces, Path directory, SweepEngine chosen) {
    PrintWriter err = spec.commandLine().getErr();
    AtomicLong ended = new AtomicLong();
    ProgressLine[] line = new ProgressLine[1];
    try {
      return new Sweep(plan, traces, directory)
          .run(
              new Sweep.Options(chosen, search.workers(), master, force),
              note -> err.println("fusespill: " + note),
              requests -> line[0] = new ProgressLine("sweep", "requests", requests, quiet),
              requests -> line[0].at(ended.addAndGet(requests)));
    } finally {
      if (line[0] != null) {
        line[0].close();
      }
    }
  }

  private ObjectNode json(SweepPlan plan, Sweep.Outcome outcome, Path directory, double seconds) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("sweep", plan.spec().name());
    node.put("directory", directory.toString());
    node.put("scenarios", plan.tasks().size());
    node.put("rows", outcome.rows());
    node.put("kept", outcome.kept());
    node.put("ran", outcome.ran());
    node.put("workers", search.workers());
    node.put("scenario_seconds", outcome.scenarioSeconds());
    node.put("wall_seconds", seconds);
    plan.notes().forEach(node.putArray("notes")::add);
    for (Sweep.Failure failure : outcome.failures()) {
      node.withArray("failures")
          .addObject()
          .put("scenario", failure.task().index())
          .put("title", failure.task().scenario().title())
          .put("message", failure.message());
    }
    return node;
  }

  private void print(
      PrintWriter print, SweepPlan plan, Sweep.Outcome outcome, Path directory, double seconds) {
    print.println(
        "%s: %s: %,d run now, %,d finished before, %,d failed"
            .formatted(
                plan.spec().name(),
                Wording.count(plan.tasks().size(), "scenario"),
                outcome.ran(),
                outcome.kept(),
                outcome.failures().size()));
    if (outcome.ran() > 0) {
      print.println(
          "%s s, %.2f scenarios a second, %s; %s s of work"
              .formatted(
                  TableText.seconds(seconds),
                  outcome.ran() / seconds,
                  master == null ? Wording.count(search.workers(), "worker") : "on " + master,
                  TableText.seconds(outcome.scenarioSeconds())));
    }
    plan.notes().forEach(print::println);
    printFailures(print, outcome.failures(), directory);
    if (outcome.rows() == 0) {
      print.println("the tables are empty: no scenario has finished");
    }
    print.println(directory.resolve(SweepDirectory.RESULTS_PARQUET));
    print.println(directory.resolve(SweepDirectory.RESULTS_CSV));
    print.println("next: fusespill pareto %s".formatted(directory));
  }

  /// One line for each reason, with the first scenario that failed for it.
  private static void printFailures(
      PrintWriter print, List<Sweep.Failure> failures, Path directory) {
    Map<String, List<Sweep.Failure>> byReason =
        failures.stream()
            .collect(
                Collectors.groupingBy(
                    Sweep.Failure::message, LinkedHashMap::new, Collectors.toList()));
    byReason.entrySet().stream()
        .limit(REASONS_SHOWN)
        .forEach(reason -> {
          List<Sweep.Failure> alike = reason.getValue();
          print.println(
              "failed: %s%s: %s"
                  .formatted(
                      alike.getFirst().task().scenario().title(),
                      alike.size() == 1 ? "" : " and %,d more".formatted(alike.size() - 1),
                      reason.getKey()));
        });
    if (!failures.isEmpty()) {
      print.println("all failures: " + directory.resolve(SweepDirectory.FAILURES_CSV));
    }
  }
}
