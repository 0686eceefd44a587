package io.fusespill.sweep;

import io.fusespill.replay.evaluate.Cell;
import io.fusespill.replay.evaluate.CellFilter;
import io.fusespill.replay.evaluate.Evaluation;
import io.fusespill.replay.evaluate.LargestFirst;
import io.fusespill.replay.evaluate.NamedWorkload;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.workload.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// The cells of a grid that differ in their seed alone: one row of a search, whose answer has to
/// hold for every seed.
record SearchGroup(List<Cell> cells) {

  /// What a search found for each group, in their order, and what went wrong.
  record Answers<T>(Map<SearchGroup, T> found, Map<SearchGroup, String> failed) {}

  /// The groups of a grid in the order of its tables.
  ///
  /// @throws SweepException if `only` names what is not there
  static List<SearchGroup> of(SweepSpec spec, List<String> only) {
    Map<List<Object>, List<Cell>> groups = new LinkedHashMap<>();
    for (Cell cell : selected(spec, only)) {
      groups
          .computeIfAbsent(
              List.of(cell.platform(), cell.model(), cell.workload(), cell.row()),
              key -> new ArrayList<>())
          .add(cell);
    }
    return groups.values().stream().map(SearchGroup::new).toList();
  }

  private static List<Cell> selected(SweepSpec spec, List<String> only) {
    try {
      return new CellFilter(only).of(spec.grid().cells());
    } catch (IllegalArgumentException e) {
      throw new SweepException("--only: " + e.getMessage(), e);
    }
  }

  /// Searches in several groups at once.
  ///
  /// @param traces that know how many requests each has
  /// @param search called on `workers` threads; what it throws is told of its group alone
  static <T> Answers<T> search(
      List<SearchGroup> groups, TraceCache traces, int workers, Function<SearchGroup, T> search) {
    Map<SearchGroup, T> found = new ConcurrentHashMap<>();
    Map<SearchGroup, String> failed = new ConcurrentHashMap<>();
    LargestFirst.run(
        groups,
        group -> traces.count(group.first().workload().workload()),
        workers,
        group -> {
          try {
            found.put(group, search.apply(group));
          } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) {
            failed.put(group, Evaluation.message(e));
          }
        });
    return new Answers<>(inOrder(groups, found), inOrder(groups, failed));
  }

  private static <T> Map<SearchGroup, T> inOrder(
      List<SearchGroup> groups, Map<SearchGroup, T> values) {
    Map<SearchGroup, T> ordered = new LinkedHashMap<>();
    for (SearchGroup group : groups) {
      if (values.containsKey(group)) {
        ordered.put(group, Objects.requireNonNull(values.get(group)));
      }
    }
    return ordered;
  }

  Cell first() {
    return cells.getFirst();
  }

  TopologySpec topology() {
    return first().scenario().topology();
  }

  /// `platform / model / workload / policy`.
  String title() {
    return first().title();
  }

  /// The scenarios of the seeds with other requests.
  List<SweepScenario> with(Workload workload, Slo slo) {
    return cells.stream()
        .map(cell ->
            SweepScenario.of(
                new Cell(
                    cell.platform(),
                    cell.model(),
                    new NamedWorkload(cell.workload().name(), workload),
                    cell.row(),
                    cell.seed(),
                    cell.limits()),
                slo))
        .toList();
  }
}
