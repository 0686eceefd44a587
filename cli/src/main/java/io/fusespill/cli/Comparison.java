package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.replay.calibrate.ForetoldSteps;
import io.fusespill.replay.calibrate.Resimulation;
import io.fusespill.replay.explain.Wording;
import io.fusespill.replay.whatif.Difference;
import io.fusespill.replay.whatif.RecordedRequests;
import io.fusespill.sim.cost.FittedProfile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How far the simulation of a run is off, as text and as JSON.
///
/// @param run where the run lies
/// @param profileFile the profile's file; null where it was fitted to the run itself
/// @param measured figures of the live run
/// @param steps what the run's own steps took, beside what the profile says of them, by place
/// @param atOwnSpeed the figures of a simulation whose steps are as long as the run's; null for
///   none
/// @param others those of each simulation of `--spread`
record Comparison(
    Path run,
    @Nullable Path profileFile,
    RecordedLiveRun live,
    FittedProfile profile,
    RecordedRequests requests,
    Map<String, Object> measured,
    Resimulation simulated,
    List<ForetoldSteps> steps,
    @Nullable Map<String, Object> atOwnSpeed,
    List<Map<String, Object>> others) {

  static final String THROUGHPUT = "throughput";
  static final String LATENCY = "latency";

  /// A figure of both runs.
  private record Row(String label, String figure, String format, String kind) {}

  private static final List<Row> ROWS = rows();

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

  /// What is off by more than `within` allows, by kind of figure in per cent.
  List<String> beyond(Map<String, Double> within) {
    List<String> beyond = new ArrayList<>();
    for (Row row : ROWS) {
      Double most = within.get(row.kind());
      double percent = difference(row).percent();
      if (most != null && Math.abs(percent) > most) {
        beyond.add(
            "%s is off by %.2f %%, must be within %s %%".formatted(row.label(), percent, most));
      }
    }
    return beyond;
  }

  private Difference difference(Row row) {
    return difference(row, simulated.report().figures());
  }

  private Difference difference(Row row, Map<String, Object> figures) {
    return new Difference(
        row.figure(), number(measured, row.figure()), number(figures, row.figure()));
  }

  /// The same of the simulation at the run's own speed; null where there is none.
  private @Nullable Difference atOwnSpeed(Row row) {
    return atOwnSpeed == null ? null : difference(row, atOwnSpeed);
  }

  /// Of a figure over the simulations of `--spread`; null where there are none.
  private @Nullable Spread spread(Row row) {
    return others.isEmpty() ? null : Spread.of(row.figure(), others);
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

  private String modelInWords() {
    return profileFile == null
        ? "fitted to this very run: what the fit leaves, not what it foretells"
        : "%s, from %s".formatted(profileFile, profile.source());
  }

  void print(PrintWriter out, List<String> beyond) {
    out.println(
        "%s: %s, policy %s, %s"
            .formatted(
                run,
                live.model(),
                live.start().config().policy().name(),
                Wording.count(requests.size(), "request")));
    out.println("step and transfer times: %s".formatted(modelInWords()));
    out.println();
    List<String> header = new ArrayList<>(List.of("", recorded(), "simulated", "error %"));
    if (atOwnSpeed != null) {
      header.add("at own speed %");
    }
    if (!others.isEmpty()) {
      header.addAll(List.of("least", "median", "greatest"));
    }
    Table table = new Table().row(header.toArray(String[]::new));
    for (Row row : ROWS) {
      Difference difference = difference(row);
      Spread of = spread(row);
      Difference ownSpeed = atOwnSpeed(row);
      if (difference.baseline() != 0
          || difference.alternative() != 0
          || (ownSpeed != null && ownSpeed.alternative() != 0)
          || (of != null && of.greatest() != 0)) {
        List<String> cells = new ArrayList<>();
        cells.add(row.label());
        cells.add(row.format().formatted(difference.baseline()));
        cells.add(row.format().formatted(difference.alternative()));
        cells.add(percent(difference));
        if (ownSpeed != null) {
          cells.add(percent(ownSpeed));
        }
        if (of != null) {
          cells.add(row.format().formatted(of.least()));
          cells.add(row.format().formatted(of.median()));
          cells.add(row.format().formatted(of.greatest()));
        }
        table.row(cells.toArray(String[]::new));
      }
    }
    table.print(out);
    printSteps(out);
    if (!others.isEmpty()) {
      out.println();
      out.println(
          "least, median, greatest: of %,d more simulations, with steps from %s %% shorter to as much longer"
              .formatted(others.size(), 100 * CompareCommand.STRETCH));
    }
    if (requests.assumed() > 0) {
      out.println();
      out.println(
          "%s not served to the end: those given up or cut at a limit are taken to go on without end, the others to be of median length (%,d tokens)"
              .formatted(Wording.count(requests.assumed(), "request"), requests.typicalTokens()));
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

  /// What the run is, in a word: a simulation can be simulated again, too.
  private String recorded() {
    return live.simulated() ? "recorded" : "live";
  }

  private static String percent(Difference difference) {
    return Double.isNaN(difference.percent()) ? "-" : percent(difference.percent());
  }

  private static String percent(double percent) {
    return FigureTable.signed("%.2f".formatted(percent));
  }

  private void printSteps(PrintWriter out) {
    if (steps.isEmpty()) {
      return;
    }
    out.println();
    out.println(
        "the run's own steps, each foretold by itself; least and greatest of ten parts of the run");
    Table table =
        new Table()
            .row("", "steps", recorded() + ", s", "foretold, s", "error %", "least", "greatest");
    for (ForetoldSteps each : steps) {
      table.row(
          each.place(),
          "%,d".formatted(each.steps()),
          "%,.2f".formatted(each.liveNanos() / 1e9),
          "%,.2f".formatted(each.foretoldNanos() / 1e9),
          percent(each.errorPercent()),
          percent(Collections.min(each.partErrors())),
          percent(Collections.max(each.partErrors())));
      for (ForetoldSteps.Kind kind : each.kinds()) {
        table.row(
            "  " + kind.label(),
            "%,d".formatted(kind.steps()),
            "%,.2f".formatted(kind.liveNanos() / 1e9),
            "%,.2f".formatted(kind.foretoldNanos() / 1e9),
            percent(kind.errorPercent()));
      }
    }
    table.print(out);
  }

  ObjectNode toJson(List<String> beyond) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("run", run.toString());
    node.put("model", live.model());
    node.put("policy", live.start().config().policy().name());
    node.put("profile", profileFile == null ? null : profileFile.toString());
    node.put("times", modelInWords());
    node.put("requests", requests.size());
    node.put("assumed_lengths", requests.assumed());
    node.put("simulated_steps", simulated.steps());
    node.put("extrapolated_steps", simulated.extrapolatedSteps());
    ObjectNode outside = node.putObject("extrapolated_by_feature");
    simulated.outside().forEach((feature, times) -> outside.put(feature.label(), times));
    ObjectNode figures = node.putObject("figures");
    for (Row row : ROWS) {
      Difference difference = difference(row);
      ObjectNode one = figures.putObject(row.figure());
      one.put("live", difference.baseline());
      put(one, "simulated", "error_percent", difference);
      Difference ownSpeed = atOwnSpeed(row);
      if (ownSpeed != null) {
        put(one, "at_own_speed", "error_percent_at_own_speed", ownSpeed);
      }
      Spread of = spread(row);
      if (of != null) {
        ObjectNode spread = one.putObject("spread");
        spread.put("least", of.least());
        spread.put("median", of.median());
        spread.put("greatest", of.greatest());
      }
    }
    ArrayNode places = node.putArray("steps");
    for (ForetoldSteps each : steps) {
      ObjectNode one = places.addObject();
      one.put("place", each.place());
      one.put("steps", each.steps());
      one.put("live_seconds", each.liveNanos() / 1e9);
      one.put("foretold_seconds", each.foretoldNanos() / 1e9);
      one.put("error_percent", each.errorPercent());
      each.partErrors().forEach(one.putArray("error_percent_by_part")::add);
      ArrayNode kinds = one.putArray("kinds");
      for (ForetoldSteps.Kind kind : each.kinds()) {
        ObjectNode of = kinds.addObject();
        of.put("kind", kind.label());
        of.put("steps", kind.steps());
        of.put("live_seconds", kind.liveNanos() / 1e9);
        of.put("foretold_seconds", kind.foretoldNanos() / 1e9);
        of.put("error_percent", kind.errorPercent());
      }
    }
    beyond.forEach(node.putArray("beyond")::add);
    return node;
  }

  private static void put(ObjectNode node, String figure, String error, Difference difference) {
    node.put(figure, difference.alternative());
    if (Double.isNaN(difference.percent())) {
      node.putNull(error);
    } else {
      node.put(error, difference.percent());
    }
  }
}
