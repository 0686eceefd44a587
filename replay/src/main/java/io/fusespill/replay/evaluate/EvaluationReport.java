package io.fusespill.replay.evaluate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.replay.evaluate.CellResult.Failed;
import io.fusespill.replay.evaluate.CellResult.Ran;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;

/// Everything that an evaluation found, for programs.
public final class EvaluationReport {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private EvaluationReport() {}

  /// One object with the tables, every cell, and what did not run.
  ///
  /// @param skipped by the workload's name, why it was left out
  public static ObjectNode json(
      EvaluationSpec spec, List<CellResult> results, Map<String, String> skipped) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("spec", spec.name());
    json.set("seeds", MAPPER.valueToTree(spec.seeds()));
    ArrayNode tables = json.putArray("tables");
    Comparison.of(results).forEach(table -> tables.add(table(table)));
    ArrayNode cells = json.putArray("cells");
    ArrayNode failures = json.putArray("failures");
    for (CellResult result : results) {
      switch (result) {
        case Ran ran -> {
          ObjectNode node = key(cells.addObject(), ran.cell());
          ran.figures().forEach((name, value) -> node.set(name, MAPPER.valueToTree(value)));
        }
        case Failed failed ->
            key(failures.addObject(), failed.cell()).put("message", failed.message());
      }
    }
    ObjectNode left = json.putObject("skipped_workloads");
    skipped.forEach(left::put);
    return json;
  }

  /// A header, and one line for each cell that ran. A figure that a cell does not have is empty.
  public static List<String> csv(List<CellResult> results) {
    List<Ran> all = results.stream().filter(Ran.class::isInstance).map(Ran.class::cast).toList();
    Set<String> names = new LinkedHashSet<>();
    all.forEach(ran -> names.addAll(ran.figures().keySet()));
    List<String> lines = new ArrayList<>();
    for (Ran ran : all) {
      ObjectNode key = key(JsonNodeFactory.instance.objectNode(), ran.cell());
      if (lines.isEmpty()) {
        List<String> head = new ArrayList<>();
        key.fieldNames().forEachRemaining(head::add);
        head.addAll(names);
        lines.add(String.join(",", head));
      }
      List<String> cells = new ArrayList<>();
      key.forEach(value -> cells.add(quoted(value.asText())));
      for (String name : names) {
        Object value = ran.figures().get(name);
        cells.add(value == null ? "" : quoted(value.toString()));
      }
      lines.add(String.join(",", cells));
    }
    return lines;
  }

  private static ObjectNode table(Comparison table) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("platform", table.platform().name());
    json.put("model", table.model());
    json.put("workload", table.workload().name());
    for (ComparedRow row : table.rows()) {
      ObjectNode node = json.withArray("rows").addObject();
      node.put("policy", row.policy().name());
      node.put("standing", label(row.policy()));
      node.put("upper_bound", row.policy().oracle());
      node.put("best_baseline", row.best());
      node.put("seeds", row.runs().size());
      node.put("failed_seeds", row.failures());
      if (!row.runs().isEmpty()) {
        Statistic throughput = row.figure(ComparedRow.THROUGHPUT);
        node.put("output_throughput", throughput.mean());
        node.put("output_throughput_spread", throughput.spread());
      }
      if (row.gain() != null) {
        node.put("gain", row.gain().share().mean());
        node.put("gain_spread", row.gain().share().spread());
        node.put("significant", row.gain().significant());
      }
    }
    return json;
  }

  private static ObjectNode key(ObjectNode json, Cell cell) {
    json.put("platform", cell.platform().name());
    json.put("model", cell.model());
    json.put("workload", cell.workload().name());
    json.put("policy", cell.row().name());
    json.put("policy_name", cell.row().policy().name());
    json.put("policy_options", options(cell.row()));
    json.put("standing", label(cell.row()));
    json.put("upper_bound", cell.row().oracle());
    json.put("seed", cell.seed());
    return json;
  }

  private static String options(PolicyRow row) {
    StringJoiner options = new StringJoiner(" ");
    row.policy().options().forEach((name, value) -> options.add(name + "=" + value));
    return options.toString();
  }

  private static String label(PolicyRow row) {
    return row.standing().name().toLowerCase(Locale.ROOT);
  }

  private static String quoted(String text) {
    return text.contains(",") || text.contains("\"")
        ? '"' + text.replace("\"", "\"\"") + '"'
        : text;
  }
}
