package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.journal.Durability;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.RunReport;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.workload.TraceWorkload;
import io.fusespill.traces.TraceException;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/// Another policy, device or rate for requests that have already come.
@Command(
    name = "whatif",
    mixinStandardHelpOptions = true,
    description = {
      "Takes the arrivals of a run, or of a trace, simulates them under another configuration, and prints both side by side.",
      "Of a run, what no option changes is as it was: options, cancellations, and how long each output is. With none changed it is the run again, decision for decision.",
      "Of a live run, the machine is that of its journal, and --time-model gives the times that 'calibrate' found for it; or --device and the rest describe another machine.",
      "Of a trace, the other side is what simulate does by default: policy continuous with its defaults, at the trace's own rate.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill whatif runs/demo/continuous --policy fusespill",
      "  fusespill whatif runs/NAME --device rtx-4090 --rate-scale 1.5 --out runs/faster",
      "  fusespill whatif runs/LIVE --time-model profile.json --policy continuous",
      "  fusespill whatif runs/NAME --from 8805 --policy fusespill --policy-option handling=swap --out runs/swapped",
      "  fusespill whatif requests.csv --model vicuna-7b --device a10 --policy fusespill",
      "",
      "It is a simulation, and says by which cost model: docs/whatif.md."
    })
final class WhatIfCommand implements Callable<Integer> {

  /// Options that shape a trace, and cannot shape a run's requests.
  private static final List<String> TRACE_ONLY =
      List.of(
          "--format", "--max-prompt", "--max-total", "--skip-invalid", "--rate", "--burstiness");

  /// Options that are the alternative of a trace; all others hold for both sides.
  private static final List<String> ALTERNATIVE =
      List.of(GivenOptions.POLICY, GivenOptions.POLICY_OPTION, "--predictor", "--depth");

  /// Options that may change in the middle of a run.
  private static final List<String> BRANCH =
      List.of(
          GivenOptions.POLICY,
          GivenOptions.POLICY_OPTION,
          "--predictor",
          "--depth",
          "--max-num-seqs",
          "--max-num-batched-tokens",
          "--checkpoint-every");

  private static final String RATE_SCALE = "--rate-scale";
  private static final String LIMIT = "--limit";

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RUN|TRACE",
      description = "Run directory or a journal itself; or a trace file, plain or gzip.")
  private Path target;

  @Mixin private ScenarioOptions scenarioOptions;

  @Mixin private WorkloadOptions workloadOptions;

  @Option(
      names = "--from",
      paramLabel = "POSITION|TIME",
      converter = Moment.Converter.class,
      description = {
        "Branch off the run behind the event at this position, or behind the last one at a time such as 12.5s or 300ms, and let the given policy decide from there.",
        "The branch has the run's events so far byte for byte, and its world with what is under way. Only --policy, --policy-option, --predictor, --depth, --max-num-seqs, --max-num-batched-tokens and --checkpoint-every go with it."
      })
  private @Nullable Moment from;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description =
          "Leave the alternative there as a run, for verify, inspect, explain and diff (default: nothing is written).")
  private @Nullable Path out;

  @Option(names = "--force", description = "Replace the run that the directory holds.")
  private boolean force;

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
  WhatIfCommand() {}

  @Override
  public Integer call() {
    if (!Files.exists(target)) {
      throw new UsageException("no run and no trace %s".formatted(target));
    }
    checkOut();
    SideBySide sides = Files.isDirectory(target) ? ofRun() : ofTrace();
    if (json) {
      spec.commandLine().getOut().println(sides.toJson());
    } else {
      sides.print(spec.commandLine().getOut());
    }
    spec.commandLine().getOut().flush();
    return 0;
  }

  /// Before anything is simulated for nothing, and before what is read would be replaced.
  private void checkOut() {
    if (out == null) {
      return;
    }
    RunDirectory.check(out, force);
    try {
      if (Files.exists(out) && target.toRealPath().startsWith(out.toRealPath())) {
        throw new UsageException(
            "--out %s is what the alternative is held against: choose another".formatted(out));
      }
    } catch (IOException e) {
      throw new UsageException("--out %s cannot be read: %s".formatted(out, e), e);
    }
  }

  // ------------------------------------------------------------------- run

  private SideBySide ofRun() {
    ParseResult parsed = spec.commandLine().getParseResult();
    for (String option : TRACE_ONLY) {
      if (parsed.hasMatchedOption(option)) {
        throw new UsageException(
            "%s is for traces: the requests of %s are as they came, only --rate-scale and --limit change them"
                .formatted(option, target));
      }
    }
    GivenOptions over = GivenOptions.of(parsed);
    if (over.value("--faults", "").contains("cancel")) {
      throw new UsageException(
          "--faults %s is for traces: the cancellations of %s are as they came; leave cancel away"
              .formatted(over.value("--faults", ""), target));
    }
    RecordedRun run;
    try (JournalReader reader = JournalOptions.open(target, partial);
        ProgressLine progress = new ProgressLine("read", "events", 0, quiet)) {
      run = RecordedRun.read(target, reader, progress);
    }
    ResolvedScenario own = ownScenario(run, over);
    if (from != null) {
      return ofBranch(run, own, over, from);
    }
    ResolvedScenario alternative = alternative(run, over, workload(run));
    boolean changed =
        own == null || !own.canonicalText().equals(alternative.canonicalText()) || reshapes();
    SideBySide sides =
        new SideBySide(target.toString(), run.policy(), changes(over), alternative.description());
    sides.baseline("recorded", run.report(), run.described());
    sides.recordedDigest(run.digest(), run.events());
    sides.assumed(run.requests());
    if (run.requests().assumed() > 0
        && PredictorKind.named(alternative.config().predictor()).oracle()) {
      sides.note("the oracle is told the lengths that are taken for these");
    }
    alternative.notes().forEach(sides::note);
    if (own == null) {
      sides.note(
          "the recorded configuration cannot be simulated again: what is known of it leads to another one");
    } else {
      ObjectNode again = JsonNodeFactory.instance.objectNode();
      RunReport report =
          simulate(own, run.arrivals(), changed ? null : directory(over, run), again);
      sides.reproduction(report, again);
    }
    if (changed) {
      ObjectNode figures = JsonNodeFactory.instance.objectNode();
      List<Arrival> asked = reshaped(run);
      if (!serves(asked, run.arrivals())) {
        sides.note(
            "the two did not serve the same requests: differences compare more than the configurations");
      }
      RunReport report = simulate(alternative, asked, directory(over, run), figures);
      sides.alternative(report, figures);
    }
    sides.directory(out);
    return sides;
  }

  /// The scenario that the run was of, or null where what is known of it leads elsewhere.
  ///
  /// @throws UsageException if the alternative would lack a machine for that reason
  private static @Nullable ResolvedScenario ownScenario(RecordedRun run, GivenOptions over) {
    if (!RecordedMachine.isNamed(run.options())) {
      try {
        return run.machine().own(ownOptions(run, over), run.workload());
      } catch (UsageException e) {
        if (RecordedMachine.isNamed(over)) {
          return null;
        }
        throw e;
      }
    }
    String problem = "they lead to another configuration";
    try {
      ResolvedScenario own = run.options().parse().resolve(run.workload());
      if (own.digest().equals(run.header().configDigest())) {
        return own;
      }
    } catch (UsageException e) {
      problem = String.valueOf(e.getMessage());
    }
    if (!RecordedMachine.isNamed(over)) {
      String machine =
          Stream.of(GivenOptions.DEVICE, GivenOptions.AUX, GivenOptions.HOST)
              .filter(option -> option.equals(GivenOptions.DEVICE) || run.options().has(option))
              .collect(Collectors.joining(" and "));
      throw new UsageException(
          "%s was not configured by options that lead there again (%s: %s): give its machine with %s, or with --topology"
              .formatted(run.path(), run.options(), problem, machine));
    }
    return null;
  }

  /// The options of the run, with what is said of its own machine if it names none.
  private static GivenOptions ownOptions(RecordedRun run, GivenOptions over) {
    return RecordedMachine.isNamed(run.options())
        ? run.options()
        : run.options().overlaidBy(over.only(RecordedMachine.MEASURED));
  }

  /// What the run's options with others laid over them come to: on the machine that they name, else
  /// on that of the run's journal.
  private static ResolvedScenario alternative(
      RecordedRun run, GivenOptions over, ObjectNode workload) {
    GivenOptions both = run.options().overlaidBy(over);
    return RecordedMachine.isNamed(both)
        ? both.parse().resolve(workload)
        : run.machine().alternative(both, workload);
  }

  // ---------------------------------------------------------------- branch

  private SideBySide ofBranch(
      RecordedRun run, @Nullable ResolvedScenario own, GivenOptions over, Moment from) {
    for (GivenOptions.Given given : over.all()) {
      boolean ownTimes =
          RecordedMachine.MEASURED.contains(given.name())
              && !RecordedMachine.isNamed(run.options());
      if (!BRANCH.contains(given.name()) && !ownTimes) {
        throw new UsageException(
            "%s cannot change in the middle of a run: leave it away, or leave --from away"
                .formatted(given.name()));
      }
    }
    if (own == null || reshapes()) {
      throw new UsageException(
          own == null
              ? "%s cannot be branched: what is known of its configuration leads to another one"
                  .formatted(target)
              : "--from branches off the run's own requests: leave --rate-scale and --limit away");
    }
    ResolvedScenario begun = own.describedAs(run.described());
    Branch branch =
        new Branch(target, partial, from, begun, alternative(run, over, run.workload()));
    branch.check();
    Branch unchanged = new Branch(target, partial, from, begun, null);
    unchanged.check();
    ObjectNode againFigures = JsonNodeFactory.instance.objectNode();
    RunReport again = simulate(unchanged, run, null, againFigures);
    ObjectNode figures = JsonNodeFactory.instance.objectNode();
    RunDirectory directory = null;
    if (out != null) {
      directory = RunDirectory.create(out, force);
      directory.writeOptions(ownOptions(run, over));
    }
    RunReport report = simulate(branch, run, directory, figures);
    SideBySide sides =
        new SideBySide(target.toString(), run.policy(), changes(over), branch.described());
    sides.baseline("recorded", run.report(), run.described());
    sides.recordedDigest(run.digest(), run.events());
    sides.assumed(run.requests());
    sides.continuation(again, againFigures);
    sides.alternative(report, figures);
    sides.branch(branch);
    sides.directory(out);
    return sides;
  }

  private RunReport simulate(
      Branch branch, RecordedRun run, @Nullable RunDirectory directory, ObjectNode figures) {
    Durability durability = directory == null ? Durability.NONE : Durability.ASYNC;
    try (ProgressLine progress =
        new ProgressLine("branch", "requests", run.arrivals().size(), quiet)) {
      return new SimulatedRun(branch.scenario(), durability, directory, false)
          .branch(run.arrivals(), branch::play, branch.described(), progress, figures);
    }
  }

  private @Nullable RunDirectory directory(GivenOptions over, RecordedRun run) {
    if (out == null) {
      return null;
    }
    RunDirectory directory = RunDirectory.create(out, force);
    directory.writeOptions(run.options().overlaidBy(over));
    return directory;
  }

  private boolean reshapes() {
    ParseResult parsed = spec.commandLine().getParseResult();
    return parsed.hasMatchedOption(RATE_SCALE)
        || parsed.hasMatchedOption(LIMIT)
        || parsed.hasMatchedOption("--samples");
  }

  /// What identifies the alternative's requests: as `simulate` would say it of the trace.
  private ObjectNode workload(RecordedRun run) {
    ObjectNode workload = run.workload();
    TraceWorkload given = workloadOptions.workload(target);
    if (given.rateScale() != null) {
      workload.put("rate_scale", workload.path("rate_scale").asDouble(1) * given.rateScale());
    }
    if (given.limit() != null) {
      workload.put("limit", given.limit());
    }
    return workload;
  }

  private List<Arrival> reshaped(RecordedRun run) {
    TraceWorkload given = workloadOptions.workload(target);
    double scale = given.rateScale() == null ? 1 : given.rateScale();
    boolean samples = spec.commandLine().getParseResult().hasMatchedOption("--samples");
    return run.arrivals().stream()
        .limit(given.limit() == null ? Long.MAX_VALUE : given.limit())
        .map(each -> scale == 1 ? each : each.at(Math.round(each.atNanos() / scale)))
        .map(each -> samples ? each.withSamples(scenarioOptions.samples()) : each)
        .toList();
  }

  /// Whether the requests are the recorded ones, perhaps at other times.
  private static boolean serves(List<Arrival> asked, List<Arrival> recorded) {
    return asked.size() == recorded.size()
        && IntStream.range(0, asked.size())
            .allMatch(i -> asked.get(i).samples() == recorded.get(i).samples());
  }

  private RunReport simulate(
      ResolvedScenario scenario,
      List<Arrival> arrivals,
      @Nullable RunDirectory directory,
      ObjectNode figures) {
    Durability durability = directory == null ? Durability.NONE : Durability.ASYNC;
    try (ProgressLine progress = new ProgressLine("simulate", "requests", arrivals.size(), quiet)) {
      return new SimulatedRun(scenario, durability, directory, false)
          .run(arrivals, progress, figures);
    }
  }

  // ----------------------------------------------------------------- trace

  private SideBySide ofTrace() {
    if (from != null) {
      throw new UsageException(
          "--from branches off a run, and %s is a trace: simulate it first".formatted(target));
    }
    GivenOptions given = GivenOptions.of(spec.commandLine().getParseResult());
    TraceWorkload workload = workloadOptions.workload(target);
    requireTrace(workload);
    GivenOptions common = given.without(ALTERNATIVE);
    if (given.equals(common) && workload.rateScale() == null) {
      throw new UsageException(
          "nothing differs from what simulate does by default: give --policy, --policy-option, --predictor, --depth or --rate-scale");
    }
    TraceWorkload own = workload.withRateScale(null);
    ResolvedScenario baseline = common.parse().resolve(own.describe());
    ResolvedScenario alternative = given.parse().resolve(workload.describe());
    SideBySide sides =
        new SideBySide(
            target.toString(),
            ScenarioOptions.DEFAULT_POLICY,
            changes(given.only(ALTERNATIVE)),
            alternative.description());
    ObjectNode before = JsonNodeFactory.instance.objectNode();
    sides.baseline("simulated", simulate(baseline, own, null, before), baseline.description());
    sides.digests(before);
    alternative.notes().forEach(sides::note);
    ObjectNode figures = JsonNodeFactory.instance.objectNode();
    RunDirectory directory = null;
    if (out != null) {
      directory = RunDirectory.create(out, force);
      directory.writeOptions(given);
    }
    sides.alternative(simulate(alternative, workload, directory, figures), figures);
    sides.directory(out);
    return sides;
  }

  /// Says what else might have been meant where a file is none.
  private static void requireTrace(TraceWorkload workload) {
    if (workload.format() == null) {
      try {
        TraceFormat.detect(workload.file());
      } catch (TraceException e) {
        throw new UsageException(
            "neither a run, which is a folder with a journal, nor a trace: " + e.getMessage(), e);
      }
    }
  }

  private RunReport simulate(
      ResolvedScenario scenario,
      TraceWorkload workload,
      @Nullable RunDirectory directory,
      ObjectNode figures) {
    WorkloadOptions.requireFile(workload.file());
    Durability durability = directory == null ? Durability.NONE : Durability.ASYNC;
    try (TraceReader reader = workload.open(scenario.seed());
        ProgressLine progress = new ProgressLine("simulate", "requests", 0, quiet)) {
      WorkloadOptions.requireRequest(workload.file(), reader);
      return new SimulatedRun(scenario, durability, directory, false)
          .run(reader, progress, figures);
    }
  }

  /// What is changed, as it was typed.
  private String changes(GivenOptions over) {
    StringBuilder text = new StringBuilder(over.toString());
    ParseResult parsed = spec.commandLine().getParseResult();
    for (String option : List.of(RATE_SCALE, LIMIT)) {
      if (parsed.hasMatchedOption(option)) {
        text.append(text.isEmpty() ? "" : " ")
            .append(option)
            .append(' ')
            .append(parsed.matchedOption(option).originalStringValues().getLast());
      }
    }
    return text.toString();
  }
}
