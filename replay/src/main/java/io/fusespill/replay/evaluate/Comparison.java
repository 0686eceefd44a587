package io.fusespill.replay.evaluate;

import io.fusespill.replay.evaluate.CellResult.Ran;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One table: every policy on one platform, model and workload, and what it gains over the best of
/// the baselines, the one with the most output tokens per second.
public record Comparison(
    Platform platform, String model, NamedWorkload workload, List<ComparedRow> rows) {

  private record Key(Platform platform, String model, NamedWorkload workload) {}

  public Comparison {
    rows = List.copyOf(rows);
  }

  /// The tables of an evaluation in the order of their cells.
  public static List<Comparison> of(List<CellResult> results) {
    Map<Key, Map<PolicyRow, List<CellResult>>> tables = new LinkedHashMap<>();
    for (CellResult result : results) {
      Cell cell = result.cell();
      tables
          .computeIfAbsent(
              new Key(cell.platform(), cell.model(), cell.workload()), k -> new LinkedHashMap<>())
          .computeIfAbsent(cell.row(), row -> new ArrayList<>())
          .add(result);
    }
    List<Comparison> comparisons = new ArrayList<>();
    tables.forEach((key, rows) ->
        comparisons.add(
            new Comparison(key.platform(), key.model(), key.workload(), compared(rows))));
    return comparisons;
  }

  private static List<ComparedRow> compared(Map<PolicyRow, List<CellResult>> results) {
    List<ComparedRow> rows = new ArrayList<>();
    results.forEach((policy, cells) -> {
      List<Ran> runs = cells.stream().filter(Ran.class::isInstance).map(Ran.class::cast).toList();
      rows.add(new ComparedRow(policy, runs, cells.size() - runs.size(), false, null));
    });
    Optional<ComparedRow> best =
        rows.stream()
            .filter(row -> row.policy().standing() == Standing.BASELINE && !row.runs().isEmpty())
            .max(Comparator.comparingDouble(row -> row.figure(ComparedRow.THROUGHPUT).mean()));
    return best.isEmpty() ? rows : rows.stream().map(row -> row.against(best.get())).toList();
  }
}
