package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.whatif.Difference;
import io.fusespill.replay.whatif.RecordedRequests;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A run beside what it would have been, with what the second has more or less of each figure.
///
/// Where a recorded run is not what its own configuration comes to in the simulation, because a
/// real clock paced it or a real device ran it, that simulation stands between the two, and the
/// differences are those from it: both sides are then of the same cost model.
final class SideBySide {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final double GIB = 1L << 30;
  private static final String MOVED_BYTES = "moved_bytes";

  /// One line of the table.
  ///
  /// @param always whether it is shown where both sides are 0
  private record Line(String label, String figure, double unit, String format, boolean always) {}

  private static final List<Line> LINES =
      List.of(
          new Line("completed requests", "completed", 1, "%,.0f", true),
          new Line("cancelled requests", "cancelled", 1, "%,.0f", false),
          new Line("rejected or failed", "failed", 1, "%,.0f", false),
          new Line("makespan, s", "duration", 1, "%,.1f", true),
          new Line("requests/s", "request_throughput", 1, "%,.3f", true),
          new Line("output tokens/s", "output_throughput", 1, "%,.1f", true),
          new Line("mean TTFT, ms", "mean_ttft_ms", 1, "%,.1f", true),
          new Line("p99 TTFT, ms", "p99_ttft_ms", 1, "%,.1f", true),
          new Line("mean TPOT, ms", "mean_tpot_ms", 1, "%,.2f", true),
          new Line("p99 TPOT, ms", "p99_tpot_ms", 1, "%,.2f", true),
          new Line("mean ITL, ms", "mean_itl_ms", 1, "%,.2f", true),
          new Line("p99 ITL, ms", "p99_itl_ms", 1, "%,.2f", true),
          new Line("mean E2E, ms", "mean_e2el_ms", 1, "%,.1f", true),
          new Line("p99 E2E, ms", "p99_e2el_ms", 1, "%,.1f", true),
          new Line("preemptions", "preemptions", 1, "%,.0f", true),
          new Line("spilled requests", "preempted_requests", 1, "%,.0f", true),
          new Line("recomputed tokens", "recomputed_tokens", 1, "%,.0f", true),
          new Line("swapped-out blocks", "swapped_out_blocks", 1, "%,.0f", false),
          new Line("swapped-in blocks", "swapped_in_blocks", 1, "%,.0f", false),
          new Line("offloaded blocks", "offloaded_blocks", 1, "%,.0f", false),
          new Line("blocks to and from disk", "disk_blocks", 1, "%,.0f", false),
          new Line("moved, GiB", MOVED_BYTES, GIB, "%,.2f", true),
          new Line("tokens by host attention", "remote_decodes", 1, "%,.0f", false),
          new Line("mean running", "mean_running", 1, "%,.1f", true),
          new Line("peak KV usage", "peak_kv_usage", 1, "%,.3f", true));

  private final String target;
  private final String policy;
  private final String changes;
  private final JsonNode described;
  private final List<String> notes = new ArrayList<>();
  private String baselineName = "";
  private Map<String, Object> baseline = Map.of();
  private @Nullable Map<String, Object> again;
  private @Nullable Map<String, Object> alternative;
  private @Nullable JsonNode baselineDescribed;
  private @Nullable Path directory;
  private String baselineDigest = "";
  private String alternativeDigest = "";
  private long events;
  private @Nullable Boolean reproduced;
  private int assumed;

  /// @param described configuration of the alternative
  SideBySide(String target, String policy, String changes, JsonNode described) {
    this.target = target;
    this.policy = policy;
    this.changes = changes;
    this.described = described;
  }

  void baseline(String name, RunReport report, JsonNode configuration) {
    baselineName = name;
    baselineDescribed = configuration;
    baseline = figures(report, configuration);
  }

  void recordedDigest(String digest, long events) {
    baselineDigest = digest;
    this.events = events;
  }

  void digests(ObjectNode figures) {
    recordedDigest(figures.get("journal_digest").asText(), figures.get("journal_events").asLong());
  }

  void assumed(RecordedRequests requests) {
    assumed = requests.assumed();
    if (assumed > 0) {
      notes.add(
          "%,d requests were not served to their end: those given up or cut at a limit are taken to go on without end, the others to be of median length (%,d tokens)"
              .formatted(assumed, requests.typicalTokens()));
    }
  }

  void note(String text) {
    notes.add(text);
  }

  /// What the baseline's own configuration comes to when it is simulated.
  void reproduction(RunReport report, ObjectNode figures) {
    String digest = figures.get("journal_digest").asText();
    reproduced = digest.equals(baselineDigest);
    Map<String, Object> simulated =
        figures(report, baselineDescribed == null ? described : baselineDescribed);
    if (reproduced) {
      notes.add(
          "the recorded run is reproduced: all %,d events, digest %s…"
              .formatted(events, digest.substring(0, 12)));
    } else {
      again = simulated;
      notes.add(
          "the recorded run is not what its configuration comes to in the simulation; differences are from that simulation");
    }
    alternative = simulated;
    alternativeDigest = digest;
  }

  void alternative(RunReport report, ObjectNode figures) {
    alternative = figures(report, described);
    alternativeDigest = figures.get("journal_digest").asText();
    long extrapolated = figures.path("extrapolated_steps").asLong();
    if (extrapolated > 0) {
      notes.add(
          "%,d steps lie outside what the fitted profile was measured on".formatted(extrapolated));
    }
  }

  void directory(@Nullable Path directory) {
    this.directory = directory;
  }

  private static Map<String, Object> figures(RunReport report, JsonNode configuration) {
    RunMetrics metrics = report.metrics();
    long blocks =
        metrics.swappedOutBlocks()
            + metrics.swappedInBlocks()
            + metrics.offloadedBlocks()
            + metrics.diskBlocks();
    Map<String, Object> figures = new LinkedHashMap<>(report.figures());
    figures.put(MOVED_BYTES, blocks * configuration.path("kv").path("block_bytes").asLong());
    return figures;
  }

  private Map<String, Object> compared() {
    return again == null ? baseline : again;
  }

  private Map<String, Object> changed() {
    return alternative == null ? Map.of() : alternative;
  }

  // ----------------------------------------------------------------- print

  void print(PrintWriter out) {
    out.println("what if: %s, %s".formatted(target, changes.isEmpty() ? "unchanged" : changes));
    out.println(
        "  SIMULATED, not measured. Step times: %s. Transfers: link rates of the configuration."
            .formatted(costModel()));
    out.println();
    Table table = new Table();
    List<String> head = new ArrayList<>(List.of("", baselineName + " " + policy));
    if (again != null) {
      head.add("simulated " + policy);
    }
    head.addAll(List.of("what if " + described.path("policy").path("name").asText(), "diff", "%"));
    table.row(head.toArray(String[]::new));
    for (Line line : LINES) {
      print(line, table);
    }
    table.print(out);
    out.println();
    for (String note : notes) {
      out.println("  " + note);
    }
    out.println("  digest of the alternative: %s".formatted(alternativeDigest));
    if (directory != null) {
      out.println("  run %s  (fusespill diff %s %s)".formatted(directory, target, directory));
    }
  }

  private void print(Line line, Table table) {
    double before = number(compared(), line);
    double after = number(changed(), line);
    if (!line.always() && before == 0 && after == 0 && number(baseline, line) == 0) {
      return;
    }
    Difference difference = new Difference(line.figure(), before, after);
    List<String> cells = new ArrayList<>(List.of(line.label(), text(line, baseline)));
    if (again != null) {
      cells.add(text(line, again));
    }
    cells.add(text(line, changed()));
    cells.add(signed(line.format().formatted(difference.absolute())));
    cells.add(percent(difference));
    table.row(cells.toArray(String[]::new));
  }

  private static String text(Line line, Map<String, Object> figures) {
    return line.format().formatted(number(figures, line));
  }

  private static double number(Map<String, Object> figures, Line line) {
    return figures.get(line.figure()) instanceof Number number
        ? number.doubleValue() / line.unit()
        : 0;
  }

  private static String percent(Difference difference) {
    return Double.isNaN(difference.percent())
        ? difference.absolute() == 0 ? "0.0" : "-"
        : signed(String.format(Locale.ROOT, "%,.1f", difference.percent()));
  }

  /// With a plus in front of what is more, and without a sign where the digits shown are all 0.
  private static String signed(String number) {
    boolean zero = number.chars().noneMatch(digit -> digit >= '1' && digit <= '9');
    return zero ? number.replace("-", "") : number.startsWith("-") ? number : "+" + number;
  }

  private String costModel() {
    String model = described.path("time_model").asText();
    Set<String> hardware = new TreeSet<>();
    described
        .path("places")
        .forEach(place -> {
          if (place.has("hardware")) {
            hardware.add(place.get("hardware").asText());
          }
        });
    StringJoiner names = new StringJoiner(", ");
    hardware.forEach(names::add);
    return model.equals("roofline")
        ? "roofline of %s from datasheet numbers, %s"
            .formatted(names, described.path("model").asText())
        : "fitted profile %s, measured on %s with %s"
            .formatted(model, names, described.path("model").asText());
  }

  // ------------------------------------------------------------------ JSON

  ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("simulated", true);
    json.put("cost_model", costModel());
    json.put("time_model", described.path("time_model").asText());
    json.put("target", target);
    json.put("changes", changes);
    json.put("baseline_source", baselineName);
    json.put("baseline_policy", policy);
    json.put("alternative_policy", described.path("policy").path("name").asText());
    json.put("reproduced", reproduced);
    json.put("assumed_lengths", assumed);
    json.put("baseline_digest", baselineDigest);
    json.put("alternative_digest", alternativeDigest);
    json.put("directory", directory == null ? null : directory.toString());
    json.set("baseline", MAPPER.valueToTree(baseline));
    json.set("baseline_simulated", again == null ? null : MAPPER.valueToTree(again));
    json.set("alternative", MAPPER.valueToTree(changed()));
    ObjectNode differences = json.putObject("differences");
    for (Difference difference : Difference.of(compared(), changed())) {
      ObjectNode one = differences.putObject(difference.figure());
      one.put("absolute", difference.absolute());
      if (Double.isNaN(difference.percent())) {
        one.putNull("percent");
      } else {
        one.put("percent", difference.percent());
      }
    }
    notes.forEach(json.withArray("notes")::add);
    return json;
  }
}
