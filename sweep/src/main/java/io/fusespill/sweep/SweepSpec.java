package io.fusespill.sweep;

import io.fusespill.replay.evaluate.EvaluationSpec;
import io.fusespill.replay.evaluate.NamedWorkload;
import io.fusespill.sim.profile.NearMatch;
import io.fusespill.sim.spec.SpecException;
import io.fusespill.sim.spec.SpecReader;
import io.fusespill.sim.workload.Workload;
import io.fusespill.tables.Column;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A sweep: an evaluation's grid with rates as one more axis, an objective, and what of the results
/// is wanted. Every specification of `evaluate` is one.
///
/// @param grid its workloads at every rate
/// @param metrics names of figures that the tables hold; empty for all
/// @param prices null where nobody gave any
public record SweepSpec(
    EvaluationSpec grid, Slo slo, List<String> metrics, @Nullable Prices prices) {

  private static final String KEYS = "platforms, models, workloads, policies";

  /// Of a generator that says none, until an axis or a search sets one.
  private static final double REPLACED_RATE = 1;

  private static final double RATE_MAX = 1e6;

  public SweepSpec {
    metrics = List.copyOf(metrics);
  }

  /// Reads a YAML file. Traces and topologies are relative to its folder.
  ///
  /// @throws SpecException with every problem that the file has
  public static SweepSpec read(Path file) {
    return read(file, true);
  }

  /// Reads a YAML file for a search that sets the rates itself: `rates` and `rate-scales` are
  /// checked and left aside, and a generator needs no rate.
  ///
  /// @throws SpecException with every problem that the file has
  public static SweepSpec readWithoutRates(Path file) {
    return read(file, false);
  }

  private static SweepSpec read(Path file, boolean atRates) {
    SpecReader root = SpecReader.open(file, KEYS);
    List<String> rates = root.texts("rates");
    for (int i = 0; i < rates.size(); i++) {
      requireRate(root, "rates[" + i + "]", rates.get(i));
    }
    List<Double> scales = root.numbers("rate-scales");
    requireDistinct(root, "rates", rates.stream().map(SweepSpec::rate).toList());
    requireDistinct(root, "rate-scales", scales);
    if (!rates.isEmpty() && !scales.isEmpty()) {
      root.problem("rate-scales", "stands beside rates, must not: one of them sets the rate");
    }
    for (String axis : List.of("rates", "rate-scales")) {
      if (root.has(axis) && root.texts(axis).isEmpty()) {
        root.problem(axis, "is empty, must hold at least one; or leave it away");
      }
    }
    EvaluationSpec grid =
        EvaluationSpec.from(root, file, atRates && rates.isEmpty() ? null : REPLACED_RATE);
    List<NamedWorkload> workloads = new ArrayList<>();
    for (NamedWorkload workload : grid.workloads()) {
      addAtRates(root, workload, rates, workloads);
      addScaled(root, workload, scales, workloads);
      if (rates.isEmpty() && scales.isEmpty()) {
        workloads.add(workload);
      }
    }
    Slo slo = Slo.from(root.object("slo"));
    List<String> metrics = metrics(root);
    Prices prices = root.has("prices") ? Prices.from(root.object("prices")) : null;
    root.finish(file);
    return new SweepSpec(atRates ? grid.withWorkloads(workloads) : grid, slo, metrics, prices);
  }

  private static void requireRate(SpecReader root, String path, String rate) {
    if (!isRate(rate)) {
      root.problem(
          path,
          "is \"%s\", must be requests a second above 0 and at most %,.0f, or inf"
              .formatted(rate, RATE_MAX));
    }
  }

  private static boolean isRate(String rate) {
    double value = rate(rate);
    return rate.equals("inf") || (value > 0 && value <= RATE_MAX);
  }

  /// The number that a text stands for; 0 for none.
  private static double rate(String rate) {
    try {
      return rate.equals("inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(rate);
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /// One that is no legal rate has a problem of its own.
  private static void requireDistinct(SpecReader root, String key, List<Double> values) {
    for (int i = 0; i < values.size(); i++) {
      int first = values.indexOf(values.get(i));
      if (first < i && values.get(i) > 0) {
        root.problem(
            "%s[%d]".formatted(key, i),
            "is the same number as %s[%d], must differ; leave one away".formatted(key, first));
      }
    }
  }

  private static void addAtRates(
      SpecReader root, NamedWorkload workload, List<String> rates, List<NamedWorkload> into) {
    for (String rate : rates) {
      Workload at =
          isRate(rate)
              ? root.check("rates of " + workload.name(), () -> workload.workload().atRate(rate))
              : null;
      if (at != null) {
        into.add(new NamedWorkload(workload.name(), at));
      }
    }
  }

  private static void addScaled(
      SpecReader root, NamedWorkload workload, List<Double> scales, List<NamedWorkload> into) {
    for (int i = 0; i < scales.size(); i++) {
      double scale = scales.get(i);
      Workload at =
          root.check(
              "rate-scales[" + i + "] of " + workload.name(),
              () -> workload.workload().scaled(scale));
      if (at != null) {
        into.add(new NamedWorkload(workload.name(), at));
      }
    }
  }

  /// Figures by name; `*` stands for any letters.
  private static List<String> metrics(SpecReader root) {
    List<String> known = SweepFigures.columns().stream().map(Column::name).toList();
    Set<String> chosen = new LinkedHashSet<>();
    List<String> wanted = root.texts("metrics");
    for (int i = 0; i < wanted.size(); i++) {
      String name = wanted.get(i);
      Pattern pattern =
          Pattern.compile(
              Arrays.stream(name.split("\\*", -1))
                  .map(Pattern::quote)
                  .collect(Collectors.joining(".*")));
      List<String> meant = known.stream().filter(pattern.asMatchPredicate()).toList();
      if (meant.isEmpty() && !name.isEmpty()) {
        root.problem(
            "metrics[" + i + "]",
            "is \"%s\", which no figure is called%s; docs/sweeps.md lists them"
                .formatted(name, NearMatch.hint(name, known)));
      }
      chosen.addAll(meant);
    }
    return known.stream().filter(chosen::contains).toList();
  }

  /// The file's name without its ending.
  public String name() {
    return grid.name();
  }

  /// This sweep with other prices.
  public SweepSpec withPrices(Prices prices) {
    return new SweepSpec(grid, slo, metrics, prices);
  }

  /// This sweep with another objective.
  public SweepSpec withSlo(Slo slo) {
    return new SweepSpec(grid, slo, metrics, prices);
  }

  /// Its scenarios, in the order of the tables.
  public List<SweepScenario> scenarios() {
    return grid.cells().stream().map(cell -> SweepScenario.of(cell, slo)).toList();
  }
}
