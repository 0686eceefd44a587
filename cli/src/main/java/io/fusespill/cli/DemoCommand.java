package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.journal.Durability;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.Verifier;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.SampleTrace;
import io.fusespill.traces.TraceReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// The main job on the bundled trace: every baseline on one small GPU, journaled, verified and
/// compared.
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the bundled trace on a simulated A10 under the baselines and under fusespill, without and with a host that attends, and compares them.",
      "Every decision is journaled, and each journal is decided again to prove it. A page with figures and a timeline of all runs is written beside them.",
      ""
    })
final class DemoCommand implements Callable<Integer> {

  /// One column of the demo.
  ///
  /// @param host profile of a host that attends, or null
  private record Contender(String name, PolicySpec policy, @Nullable String host) {}

  private static final String FUSESPILL = PolicyKind.FUSESPILL.label();
  private static final String HOST = "xeon-8358p";
  private static final List<Contender> CONTENDERS =
      List.of(
          new Contender("vllm-0.2.7 recompute", vllm("recompute"), null),
          new Contender("vllm-0.2.7 swap", vllm("swap"), null),
          new Contender("continuous", PolicySpec.of(PolicyKind.CONTINUOUS.label()), null),
          new Contender(FUSESPILL, PolicySpec.of(FUSESPILL), null),
          new Contender(FUSESPILL + "+host", PolicySpec.of(FUSESPILL), HOST));
  private static final String MODEL = "vicuna-7b";
  private static final String DEVICE = "a10";
  private static final int BLOCKS = 800;
  private static final double SWAP_GIB = 16;

  @Spec private CommandSpec spec;

  @Option(
      names = {"-o", "--out"},
      defaultValue = "runs/demo",
      paramLabel = "DIR",
      description =
          "Where the runs and report.html go (default runs/demo); those of earlier demos are replaced.")
  private Path out;

  @SuppressWarnings("NullAway.Init") // picocli sets what has a default
  DemoCommand() {}

  @Override
  public Integer call() {
    PrintWriter print = spec.commandLine().getOut();
    print.println(
        "600 ShareGPT-like requests, 4 a second; %s on one %s (24 GB) with %d KV blocks, simulated"
            .formatted(MODEL, DEVICE, BLOCKS));
    print.println();
    print.flush();
    List<RunReport> reports = new ArrayList<>();
    List<ObjectNode> figures = new ArrayList<>();
    List<Path> directories = new ArrayList<>();
    long decisions = 0;
    for (Contender contender : CONTENDERS) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      Path directory = out.resolve(contender.name().replace(' ', '-'));
      reports.add(run(contender, directory, json));
      figures.add(json);
      directories.add(directory);
      decisions += verify(directory);
    }
    table(reports, figures).print(print);
    print.println();
    print.println(
        "verified: all %,d decisions follow from the recorded inputs, byte for byte (fusespill verify %s)"
            .formatted(decisions, out.resolve(FUSESPILL + "+host")));
    print.flush();
    Path report = out.resolve("report.html");
    ReportCommand.write(directories, ReportCommand.MOST_EXPENSIVE, report, false, false);
    print.println("all of it:     %s (open it in a browser)".formatted(report));
    print.println(
        "look into one: fusespill inspect %s --at 2000"
            .formatted(out.resolve(FUSESPILL + "+host")));
    print.println(
        "your own:      fusespill simulate --trace FILE --model %s --device %s --policy fusespill"
            .formatted(MODEL, DEVICE));
    print.flush();
    return 0;
  }

  private static PolicySpec vllm(String preemption) {
    return PolicySpec.of(PolicyKind.VLLM_0_2_7.label()).with("preemption", preemption);
  }

  private static RunReport run(Contender contender, Path directory, ObjectNode figures) {
    ObjectNode workload = JsonNodeFactory.instance.objectNode().put("trace", "sample.csv");
    ResolvedScenario scenario =
        new Scenario(
                MODEL,
                List.of(DeviceSpec.parse(DEVICE + ":blocks=" + BLOCKS)),
                "pcie4",
                SWAP_GIB,
                contender.host(),
                contender.policy(),
                new Scenario.Limits(0, 0, 0, 0, 0),
                Scenario.Serving.DEFAULT,
                "roofline",
                Faults.NONE,
                1,
                0,
                workload)
            .resolve();
    try (TraceReader trace = SampleTrace.open(ReadOptions.ALL);
        ProgressLine progress = new ProgressLine(contender.name(), "requests", 0, false)) {
      return new SimulatedRun(
              scenario, Durability.ASYNC, RunDirectory.create(directory, true), false)
          .run(trace, progress, figures);
    }
  }

  private static long verify(Path directory) {
    Verifier verifier = new Verifier();
    try (JournalReader reader = JournalReader.open(RunDirectory.journalOf(directory))) {
      while (reader.next()) {
        if (!verifier.accept(reader.position(), reader.event(), reader.bytes(), reader.length())) {
          throw new IllegalStateException(
              "the journal of %s diverges: %s".formatted(directory, verifier.divergence()));
        }
      }
    }
    return verifier.decisions();
  }

  private static Table table(List<RunReport> reports, List<ObjectNode> figures) {
    Table table = new Table();
    String[] head = new String[CONTENDERS.size() + 1];
    head[0] = "";
    for (int i = 0; i < CONTENDERS.size(); i++) {
      head[i + 1] = CONTENDERS.get(i).name();
    }
    table.row(head);
    row(table, "completed requests", "%,.0f", figures, "completed");
    row(table, "simulated seconds", "%,.1f", figures, "duration");
    row(table, "output tokens/s", "%,.1f", figures, "output_throughput");
    row(
        table,
        "mean TTFT, s",
        "%,.2f",
        reports,
        report -> report.latencies().ttft().meanMillis() / 1e3);
    row(
        table,
        "p99 TTFT, s",
        "%,.2f",
        reports,
        report -> report.latencies().ttft().percentileMillis(99) / 1e3);
    row(table, "mean TPOT, ms", "%,.1f", reports, report -> report.latencies().tpot().meanMillis());
    row(
        table,
        "p99 ITL, ms",
        "%,.1f",
        reports,
        report -> report.latencies().itl().percentileMillis(99));
    row(table, "preemptions", "%,.0f", figures, "preemptions");
    row(table, "recomputed tokens", "%,.0f", figures, "recomputed_tokens");
    row(table, "swapped-out blocks", "%,.0f", figures, "swapped_out_blocks");
    row(table, "tokens by host attention", "%,.0f", figures, "remote_decodes");
    row(table, "mean running", "%,.1f", figures, "mean_running");
    row(table, "journaled events", "%,.0f", figures, "journal_events");
    row(table, "seconds of wall time", "%,.2f", figures, "wall_seconds");
    return table;
  }

  private static void row(
      Table table, String name, String format, List<ObjectNode> figures, String key) {
    table.row(
        cells(
            name,
            figures.stream().map(json -> format.formatted(json.get(key).asDouble())).toList()));
  }

  private static void row(
      Table table,
      String name,
      String format,
      List<RunReport> reports,
      ToDoubleFunction<RunReport> figure) {
    table.row(
        cells(
            name,
            reports.stream()
                .map(report -> format.formatted(figure.applyAsDouble(report)))
                .toList()));
  }

  private static String[] cells(String name, List<String> values) {
    List<String> cells = new ArrayList<>();
    cells.add(name);
    cells.addAll(values);
    return cells.toArray(String[]::new);
  }
}
