package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.calibrate.Measurements;
import io.fusespill.replay.calibrate.Resimulation;
import io.fusespill.replay.whatif.Difference;
import io.fusespill.replay.whatif.LengthsCsv;
import io.fusespill.replay.whatif.RecordedRequests;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedProfile;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
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
    description = {
      "Simulates a live run's requests again, under the run's own configuration and with the times of a profile, and prints how far the simulation is off.",
      "Arrivals, cancellations and true output lengths are those of the run. Without --profile the times are fitted to the run itself, which shows what the fit leaves, not what it foretells.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill compare runs/other --profile profile.json",
      "  fusespill compare runs/other --profile profile.json --within throughput=3,latency=5"
    })
final class CompareCommand implements Callable<Integer> {

  private static final String THROUGHPUT = "throughput";
  private static final String LATENCY = "latency";

  /// A figure of both runs.
  private record Row(String label, String figure, String format, String kind) {}

  private static final List<Row> ROWS = rows();

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

  private static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    rows.add(new Row("completed requests", "completed", "%,.0f", ""));
    rows.add(new Row("duration, s", "duration", "%,.2f", ""));
    rows.add(new Row("requests/s", "request_throughput", "%,.3f", THROUGHPUT));
    rows.add(new Row("output tokens/s", "output_throughput", "%,.1f", THROUGHPUT));
    rows.add(new Row("all tokens/s", "total_token_throughput", "%,.1f", THROUGHPUT));
    for (String[] latency : new String[][] {{"TTFT", "ttft"}, {"TPOT", "tpot"}, {"E2E", "e2el"}}) {
      for (String statistic : List.of("mean", "median", "p90", "p99")) {
        rows.add(
            new Row(
                "%s %s, ms".formatted(statistic.replace("median", "p50"), latency[0]),
                "%s_%s_ms".formatted(statistic, latency[1]),
                "%,.2f",
                statistic.equals("mean") ? LATENCY : ""));
      }
    }
    rows.add(new Row("preemptions", "preemptions", "%,.0f", ""));
    rows.add(new Row("preempted requests", "preempted_requests", "%,.0f", ""));
    rows.add(new Row("recomputed tokens", "recomputed_tokens", "%,.0f", ""));
    rows.add(new Row("swapped-out blocks", "swapped_out_blocks", "%,.0f", ""));
    rows.add(new Row("swapped-in blocks", "swapped_in_blocks", "%,.0f", ""));
    rows.add(new Row("offloaded blocks", "offloaded_blocks", "%,.0f", ""));
    rows.add(new Row("blocks to and from disk", "disk_blocks", "%,.0f", ""));
    rows.add(new Row("tokens by host attention", "remote_decodes", "%,.0f", ""));
    return List.copyOf(rows);
  }

  @Override
  public Integer call() {
    requireKnownKinds();
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
                "itself", live.model(), String.valueOf(run), live.padded(), live::hardware)
            : FittedProfile.read(profileFile);
    List<Arrival> arrivals = requests.arrivals(lengths());
    Resimulation simulated;
    try (ProgressLine progress = new ProgressLine("simulate", "requests", arrivals.size(), quiet)) {
      simulated =
          Resimulation.of(
              live.start(),
              models(live, profile),
              profile.links(),
              profile.submitNanos(),
              arrivals,
              (arrived, alive, now) -> progress.at(arrived - alive));
    }
    Map<String, Object> measured = new RunReport(metrics, latencies).figures();
    Map<String, Object> foretold = simulated.report().figures();
    List<String> beyond = beyond(measured, foretold);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(toJson(live, profile, requests, simulated, measured, foretold, beyond));
    } else {
      print(out, live, profile, requests, simulated, measured, foretold, beyond);
    }
    out.flush();
    return beyond.isEmpty() ? 0 : 1;
  }

  private void requireKnownKinds() {
    within.forEach((kind, percent) -> {
      if (!kind.equals(THROUGHPUT) && !kind.equals(LATENCY)) {
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

  private static List<FittedModel> models(RecordedLiveRun live, FittedProfile profile) {
    int blockTokens = live.start().config().kv().blockTokens();
    List<FittedModel> models = new ArrayList<>();
    for (Place place : live.places()) {
      models.add(
          place.computes()
              ? new FittedModel(
                  profile.place(
                      place.name(), live.hardware(place.name()), live.model(), blockTokens))
              : models.getFirst());
    }
    return models;
  }

  private String modelInWords(FittedProfile profile) {
    return profileFile == null
        ? "fitted to this very run: what the fit leaves, not what it foretells"
        : "%s, from %s".formatted(profileFile, profile.source());
  }

  private List<String> beyond(Map<String, Object> measured, Map<String, Object> foretold) {
    List<String> beyond = new ArrayList<>();
    for (Row row : ROWS) {
      Double most = within.get(row.kind());
      double percent = difference(row, measured, foretold).percent();
      if (most != null && Math.abs(percent) > most) {
        beyond.add(
            "%s is off by %.2f %%, must be within %s %%".formatted(row.label(), percent, most));
      }
    }
    return beyond;
  }

  private static Difference difference(
      Row row, Map<String, Object> measured, Map<String, Object> foretold) {
    return new Difference(
        row.figure(), number(measured, row.figure()), number(foretold, row.figure()));
  }

  private static double number(Map<String, Object> figures, String figure) {
    return figures.get(figure) instanceof Number number ? number.doubleValue() : 0;
  }

  private void print(
      PrintWriter out,
      RecordedLiveRun live,
      FittedProfile profile,
      RecordedRequests requests,
      Resimulation simulated,
      Map<String, Object> measured,
      Map<String, Object> foretold,
      List<String> beyond) {
    out.println(
        "%s: %s, policy %s, %,d requests"
            .formatted(run, live.model(), live.start().config().policy().name(), requests.size()));
    out.println("step and transfer times: %s".formatted(modelInWords(profile)));
    out.println();
    Table table = new Table().row("", "live", "simulated", "error %");
    for (Row row : ROWS) {
      Difference difference = difference(row, measured, foretold);
      if (difference.baseline() != 0 || difference.alternative() != 0) {
        table.row(
            row.label(),
            row.format().formatted(difference.baseline()),
            row.format().formatted(difference.alternative()),
            Double.isNaN(difference.percent())
                ? "-"
                : FigureTable.signed("%.2f".formatted(difference.percent())));
      }
    }
    table.print(out);
    if (requests.assumed() > 0) {
      out.println();
      out.println(
          "%,d requests were not served to their end: those given up or cut at a limit are taken to go on without end, the others to be of median length (%,d tokens)"
              .formatted(requests.assumed(), requests.typicalTokens()));
    }
    if (simulated.extrapolatedSteps() > 0) {
      out.println();
      out.println(
          "warning: %,d of %,d simulated steps (%.1f %%) are outside what the profile was measured on: %s"
              .formatted(
                  simulated.extrapolatedSteps(),
                  simulated.steps(),
                  100.0 * simulated.extrapolatedSteps() / simulated.steps(),
                  simulated.outside().isEmpty()
                      ? "attention elsewhere"
                      : simulated.outside().entrySet().stream()
                          .map(each -> "%s %,d".formatted(each.getKey().label(), each.getValue()))
                          .reduce((a, b) -> a + ", " + b)
                          .orElse("")));
    }
    beyond.forEach(out::println);
  }

  private ObjectNode toJson(
      RecordedLiveRun live,
      FittedProfile profile,
      RecordedRequests requests,
      Resimulation simulated,
      Map<String, Object> measured,
      Map<String, Object> foretold,
      List<String> beyond) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("run", run.toString());
    node.put("model", live.model());
    node.put("policy", live.start().config().policy().name());
    node.put("profile", profileFile == null ? null : profileFile.toString());
    node.put("times", modelInWords(profile));
    node.put("requests", requests.size());
    node.put("assumed_lengths", requests.assumed());
    node.put("simulated_steps", simulated.steps());
    node.put("extrapolated_steps", simulated.extrapolatedSteps());
    ObjectNode outside = node.putObject("extrapolated_by_feature");
    simulated.outside().forEach((feature, times) -> outside.put(feature.label(), times));
    ObjectNode figures = node.putObject("figures");
    for (Row row : ROWS) {
      Difference difference = difference(row, measured, foretold);
      ObjectNode one = figures.putObject(row.figure());
      one.put("live", difference.baseline());
      one.put("simulated", difference.alternative());
      if (Double.isNaN(difference.percent())) {
        one.putNull("error_percent");
      } else {
        one.put("error_percent", difference.percent());
      }
    }
    beyond.forEach(node.putArray("beyond")::add);
    return node;
  }
}
