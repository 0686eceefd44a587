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
      "A policy that decides by time may decide otherwise where a step takes a microsecond more: --spread shows which figures hang on that.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill compare runs/other --profile profile.json",
      "  fusespill compare runs/other --profile profile.json --within throughput=3,latency=5",
      "  fusespill compare runs/other --profile profile.json --spread 20"
    })
final class CompareCommand implements Callable<Integer> {

  private static final String THROUGHPUT = "throughput";
  private static final String LATENCY = "latency";

  /// How much shorter and longer `--spread` makes steps: about what a profile is off.
  private static final double STRETCH = 0.005;

  private static final int SPREAD_MAX = 1_000;

  /// A figure of both runs.
  private record Row(String label, String figure, String format, String kind) {}

  private static final List<Row> ROWS = rows();

  /// What is told.
  ///
  /// @param measured figures of the live run
  /// @param foretold those of the simulation
  /// @param others those of each simulation of `--spread`
  /// @param beyond what `--within` does not allow
  private record Comparison(
      RecordedLiveRun live,
      FittedProfile profile,
      RecordedRequests requests,
      Resimulation simulated,
      Map<String, Object> measured,
      Map<String, Object> foretold,
      List<Map<String, Object>> others,
      List<String> beyond) {

    Difference difference(Row row) {
      return CompareCommand.difference(row, measured, foretold);
    }

    /// Of a figure over the simulations of `--spread`; null where there are none.
    @Nullable Spread spread(Row row) {
      return others.isEmpty() ? null : Spread.of(row.figure(), others);
    }
  }

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
    rows.add(new Row("prefix cache hits, tokens", "prefix_cache_hits", "%,.0f", ""));
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
                "itself", live.model(), String.valueOf(run), live.padded(), live::hardware)
            : FittedProfile.read(profileFile);
    List<Arrival> arrivals = requests.arrivals(lengths());
    Resimulation simulated;
    List<Map<String, Object>> others = new ArrayList<>();
    int runs = 1 + (spread == null ? 0 : spread);
    try (ProgressLine progress =
        new ProgressLine("simulate", "requests", (long) runs * arrivals.size(), quiet)) {
      simulated = simulate(live, profile, 1, arrivals, 0, progress);
      for (int i = 0; i < runs - 1; i++) {
        double factor = 1 + STRETCH * (2.0 * i / (runs - 2) - 1);
        others.add(
            simulate(live, profile, factor, arrivals, (1L + i) * arrivals.size(), progress)
                .report()
                .figures());
      }
    }
    Map<String, Object> measured = new RunReport(metrics, latencies).figures();
    Map<String, Object> foretold = simulated.report().figures();
    List<String> beyond = beyond(measured, foretold);
    PrintWriter out = spec.commandLine().getOut();
    Comparison told =
        new Comparison(live, profile, requests, simulated, measured, foretold, others, beyond);
    if (json) {
      out.println(toJson(told));
    } else {
      print(out, told);
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

  private static Resimulation simulate(
      RecordedLiveRun live,
      FittedProfile profile,
      double factor,
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

  /// What each place's steps take, times `factor`.
  private static List<FittedModel> models(
      RecordedLiveRun live, FittedProfile profile, double factor) {
    int blockTokens = live.start().config().kv().blockTokens();
    List<FittedModel> models = new ArrayList<>();
    for (Place place : live.places()) {
      models.add(
          place.computes()
              ? new FittedModel(
                  profile
                      .place(place.name(), live.hardware(place.name()), live.model(), blockTokens)
                      .stretched(factor))
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

  /// Least, median and greatest of a figure.
  private record Spread(double least, double median, double greatest) {

    static Spread of(String figure, List<Map<String, Object>> runs) {
      double[] values = runs.stream().mapToDouble(each -> number(each, figure)).sorted().toArray();
      int last = values.length - 1;
      return new Spread(values[0], (values[last / 2] + values[(last + 1) / 2]) / 2, values[last]);
    }
  }

  private static double number(Map<String, Object> figures, String figure) {
    return figures.get(figure) instanceof Number number ? number.doubleValue() : 0;
  }

  private void print(PrintWriter out, Comparison told) {
    out.println(
        "%s: %s, policy %s, %,d requests"
            .formatted(
                run,
                told.live().model(),
                told.live().start().config().policy().name(),
                told.requests().size()));
    out.println("step and transfer times: %s".formatted(modelInWords(told.profile())));
    out.println();
    List<String> header = new ArrayList<>(List.of("", "live", "simulated", "error %"));
    if (!told.others().isEmpty()) {
      header.addAll(List.of("least", "median", "greatest"));
    }
    Table table = new Table().row(header.toArray(String[]::new));
    for (Row row : ROWS) {
      Difference difference = told.difference(row);
      Spread of = told.spread(row);
      if (difference.baseline() != 0
          || difference.alternative() != 0
          || (of != null && of.greatest() != 0)) {
        List<String> cells = new ArrayList<>();
        cells.add(row.label());
        cells.add(row.format().formatted(difference.baseline()));
        cells.add(row.format().formatted(difference.alternative()));
        cells.add(
            Double.isNaN(difference.percent())
                ? "-"
                : FigureTable.signed("%.2f".formatted(difference.percent())));
        if (of != null) {
          cells.add(row.format().formatted(of.least()));
          cells.add(row.format().formatted(of.median()));
          cells.add(row.format().formatted(of.greatest()));
        }
        table.row(cells.toArray(String[]::new));
      }
    }
    table.print(out);
    if (!told.others().isEmpty()) {
      out.println();
      out.println(
          "least, median, greatest: of %,d more simulations, with steps from %s %% shorter to as much longer"
              .formatted(told.others().size(), 100 * STRETCH));
    }
    if (told.requests().assumed() > 0) {
      out.println();
      out.println(
          "%,d requests were not served to their end: those given up or cut at a limit are taken to go on without end, the others to be of median length (%,d tokens)"
              .formatted(told.requests().assumed(), told.requests().typicalTokens()));
    }
    if (told.simulated().extrapolatedSteps() > 0) {
      out.println();
      out.println(
          "warning: %,d of %,d simulated steps (%.1f %%) are outside what the profile was measured on: %s"
              .formatted(
                  told.simulated().extrapolatedSteps(),
                  told.simulated().steps(),
                  100.0 * told.simulated().extrapolatedSteps() / told.simulated().steps(),
                  told.simulated().outside().isEmpty()
                      ? "attention elsewhere"
                      : told.simulated().outside().entrySet().stream()
                          .map(each -> "%s %,d".formatted(each.getKey().label(), each.getValue()))
                          .reduce((a, b) -> a + ", " + b)
                          .orElse("")));
    }
    told.beyond().forEach(out::println);
  }

  private ObjectNode toJson(Comparison told) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("run", run.toString());
    node.put("model", told.live().model());
    node.put("policy", told.live().start().config().policy().name());
    node.put("profile", profileFile == null ? null : profileFile.toString());
    node.put("times", modelInWords(told.profile()));
    node.put("requests", told.requests().size());
    node.put("assumed_lengths", told.requests().assumed());
    node.put("simulated_steps", told.simulated().steps());
    node.put("extrapolated_steps", told.simulated().extrapolatedSteps());
    ObjectNode outside = node.putObject("extrapolated_by_feature");
    told.simulated().outside().forEach((feature, times) -> outside.put(feature.label(), times));
    ObjectNode figures = node.putObject("figures");
    for (Row row : ROWS) {
      Difference difference = told.difference(row);
      ObjectNode one = figures.putObject(row.figure());
      one.put("live", difference.baseline());
      one.put("simulated", difference.alternative());
      if (Double.isNaN(difference.percent())) {
        one.putNull("error_percent");
      } else {
        one.put("error_percent", difference.percent());
      }
      Spread of = told.spread(row);
      if (of != null) {
        ObjectNode spread = one.putObject("spread");
        spread.put("least", of.least());
        spread.put("median", of.median());
        spread.put("greatest", of.greatest());
      }
    }
    told.beyond().forEach(node.putArray("beyond")::add);
    return node;
  }
}
