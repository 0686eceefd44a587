package io.fusespill.charts;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// All figures of runs: name, what each shows, and how it is made.
///
/// Some compare all runs in one figure, the others make one figure a run, whose name ends with the
/// run's.
public enum FigureKind {
  THROUGHPUT(
      "throughput",
      "output tokens a second, with gains over the first run",
      "a request that arrived",
      runs ->
          runs.stream().anyMatch(run -> run.report().metrics().arrived() > 0)
              ? List.of(ThroughputFigure.of(runs))
              : List.of()),
  LATENCY(
      "latency",
      "distributions of TTFT, TPOT and E2E latency, several runs in one",
      "a request with a token",
      runs ->
          runs.stream().anyMatch(run -> run.report().latencies().ttft().count() > 0)
              ? List.of(LatencyFigure.of(runs))
              : List.of()),
  KV(
      "kv",
      "KV in use over time by place, with admissions, preemptions and spills",
      "some time in --window",
      runs -> each("kv", runs, run -> run.pools().bins() > 0, KvFigure::of)),
  UTILISATION(
      "utilisation",
      "when devices, attending hosts and links were at work, and on what",
      "a step or transfer in --window",
      runs -> each("utilisation", runs, run -> run.busy().worked(), UtilisationFigure::of)),
  LIVES(
      "lives",
      "lives of some sequences: waiting, prefill, decode by place, swapped, in transfer",
      "a sequence with KV in --window",
      runs -> each("lives", runs, run -> !run.lives().stories().isEmpty(), LifeLinesFigure::of)),
  STEP_TIME(
      "step-time",
      "estimated against actual time of steps",
      "a policy that estimates costs, such as fusespill",
      runs ->
          each(
              "step-time",
              runs,
              run -> run.stepTimes().pairs().count() > 0,
              PredictionFigure::stepTime)),
  REMAINING_LENGTH(
      "remaining-length",
      "predicted against actual remaining output",
      "a length predictor, and sequences that ended",
      runs ->
          each(
              "remaining-length",
              runs,
              run -> run.remaining().pairs().count() > 0,
              PredictionFigure::remaining));

  private static final Pattern OTHER = Pattern.compile("[^a-z0-9]+");

  private final String label;
  private final String description;
  private final String need;
  private final Function<List<RunData>, List<Figure>> maker;

  FigureKind(
      String label, String description, String need, Function<List<RunData>, List<Figure>> maker) {
    this.label = label;
    this.description = description;
    this.need = need;
    this.maker = maker;
  }

  private interface OfRun {
    Figure of(String name, RunData run);
  }

  private static List<Figure> each(
      String label, List<RunData> runs, Predicate<RunData> has, OfRun maker) {
    List<Figure> figures = new ArrayList<>();
    List<String> names = fileNames(runs.stream().map(RunData::name).toList());
    for (int i = 0; i < runs.size(); i++) {
      if (has.test(runs.get(i))) {
        String name = runs.size() == 1 ? label : label + "-" + names.get(i);
        figures.add(maker.of(name, runs.get(i)));
      }
    }
    return figures;
  }

  /// Names of lower-case letters, digits and dashes, of which no two are the same: a later one that
  /// would be gets a number.
  static List<String> fileNames(List<String> names) {
    Set<String> files = new LinkedHashSet<>();
    for (String name : names) {
      String file = OTHER.matcher(name.toLowerCase(Locale.ROOT)).replaceAll("-");
      String free = file;
      for (int number = 2; !files.add(free); number++) {
        free = file + "-" + number;
      }
    }
    return List.copyOf(files);
  }

  /// The name in options and file names.
  public String label() {
    return label;
  }

  public String description() {
    return description;
  }

  /// What a run must have for this figure.
  public String need() {
    return need;
  }

  /// The figures of this kind that the runs have something for; none where they have nothing.
  ///
  /// @param runs at least one, with different names
  public List<Figure> of(List<RunData> runs) {
    return maker.apply(runs);
  }

  public static List<String> labels() {
    return Arrays.stream(values()).map(FigureKind::label).toList();
  }
}
