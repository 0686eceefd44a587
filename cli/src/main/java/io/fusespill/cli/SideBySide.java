package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.explain.Wording;
import io.fusespill.replay.whatif.Prefix;
import io.fusespill.replay.whatif.RecordedRequests;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
  private @Nullable Branch branch;
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
    baseline = FigureTable.figures(report, configuration);
    RunMetrics metrics = report.metrics();
    long live =
        metrics.arrived()
            - metrics.completed()
            - metrics.rejected()
            - metrics.cancelled()
            - metrics.failed();
    if (live > 0) {
      notes.add(
          "the recorded run was cut off with %s on the way: its figures are of what it came to"
              .formatted(Wording.count(live, "request")));
    }
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
          "%s not served to the end: those given up or cut at a limit are taken to go on without end, the others to be of median length (%,d tokens)"
              .formatted(Wording.count(assumed, "request"), requests.typicalTokens()));
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
        FigureTable.figures(report, baselineDescribed == null ? described : baselineDescribed);
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

  /// What going on from the branch without any change comes to.
  void continuation(RunReport report, ObjectNode figures) {
    Map<String, Object> simulated =
        FigureTable.figures(report, baselineDescribed == null ? described : baselineDescribed);
    reproduced = Objects.equals(baseline.get("state_hash"), simulated.get("state_hash"));
    if (reproduced) {
      notes.add("unchanged, the branch ends in the state that the recorded run ended in");
    } else {
      again = simulated;
      notes.add(
          "unchanged, the branch does not end as the recorded run did; differences are from that branch");
    }
  }

  void branch(Branch from) {
    Prefix prefix = from.prefix();
    branch = from;
    notes.add(
        "branched behind position %,d, at %.6f s: the %,d events up to there are the run's, and count on both sides"
            .formatted(prefix.last(), prefix.lastNanos() / 1e9, prefix.last() + 1));
    if (prefix.endsWithDecisions()) {
      notes.add(
          "the decisions of that instant stay as they were; --from %d decides them anew"
              .formatted(prefix.beforeDecisions()));
    }
  }

  void alternative(RunReport report, ObjectNode figures) {
    alternative = FigureTable.figures(report, described);
    alternativeDigest = figures.get("journal_digest").asText();
    long extrapolated = figures.path("extrapolated_steps").asLong();
    if (extrapolated > 0) {
      notes.add(
          "outside what the fitted profile was measured on: "
              + Wording.count(extrapolated, "step"));
    }
  }

  void directory(@Nullable Path directory) {
    this.directory = directory;
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
        "  SIMULATED, not measured. Step times: %s. Transfers: %slink rates of the configuration."
            .formatted(costModel(), isRoofline() ? "" : "as in the profile, else "));
    out.println();
    List<FigureTable.Column> columns = new ArrayList<>();
    columns.add(new FigureTable.Column(baselineName + " " + policy, baseline));
    if (again != null) {
      columns.add(new FigureTable.Column("simulated " + policy, again));
    }
    columns.add(
        new FigureTable.Column(
            "what if " + described.path("policy").path("name").asText(), changed()));
    FigureTable.print(out, columns);
    out.println();
    for (String note : notes) {
      out.println("  " + note);
    }
    out.println("  digest of the alternative: %s".formatted(alternativeDigest));
    if (directory != null) {
      out.println("  run %s  (fusespill diff %s %s)".formatted(directory, target, directory));
    }
  }

  private boolean isRoofline() {
    return described.path("time_model").asText().equals(ScenarioOptions.ROOFLINE);
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
    return isRoofline()
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
    if (branch != null) {
      ObjectNode from = json.putObject("branch");
      from.put("behind_position", branch.prefix().last());
      from.put("at_nanos", branch.prefix().lastNanos());
      from.put("ends_with_decisions", branch.prefix().endsWithDecisions());
      from.put("before_decisions", branch.prefix().beforeDecisions());
    }
    json.put("baseline_digest", baselineDigest);
    json.put("alternative_digest", alternativeDigest);
    json.put("directory", directory == null ? null : directory.toString());
    json.set("baseline", MAPPER.valueToTree(baseline));
    json.set("baseline_simulated", again == null ? null : MAPPER.valueToTree(again));
    json.set("alternative", MAPPER.valueToTree(changed()));
    json.set("differences", FigureTable.differences(compared(), changed()));
    notes.forEach(json.withArray("notes")::add);
    return json;
  }
}
