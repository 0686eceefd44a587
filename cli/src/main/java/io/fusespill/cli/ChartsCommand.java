package io.fusespill.cli;

import io.fusespill.charts.Charts;
import io.fusespill.charts.Figure;
import io.fusespill.charts.FigureFiles;
import io.fusespill.charts.FigureKind;
import io.fusespill.charts.GridKind;
import io.fusespill.charts.GridKind.Axes;
import io.fusespill.charts.Results;
import io.fusespill.charts.RunData;
import io.fusespill.charts.RunData.Detail;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.evaluate.HandlingGrid;
import io.fusespill.replay.explain.LifeLines;
import io.fusespill.replay.timeline.Span;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Figures of runs, or of results of many.
@Command(
    name = "charts",
    mixinStandardHelpOptions = true,
    description = {
      "Draws figures of runs, compared where there are several, or of a file of results.",
      "docs/charts.md shows each.",
      "",
      "Of runs: throughput, latency, kv, utilisation, lives, step-time, remaining-length.",
      "Of results (evaluate --csv, sweep): throughput, ablation, curve, heatmap, pareto, decision-map.",
      "decision-map without an INPUT computes its grid first, some 20 s.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill charts runs/A runs/B -o figures",
      "  fusespill charts runs/A -o figures --figure utilisation,lives --window 100..120",
      "  fusespill charts results.csv -o figures --figure heatmap --x workload --y policy",
      "  fusespill charts -o figures --figure decision-map"
    })
final class ChartsCommand implements Callable<Integer> {

  private static final String RESULTS = "results.csv";
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double SECONDS_MAX = 9e9;
  private static final Pattern WINDOW =
      Pattern.compile("([0-9]+(?:\\.[0-9]+)?)\\.\\.([0-9]+(?:\\.[0-9]+)?)?");

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "INPUT",
      arity = "0..*",
      description =
          "Run directories or journals; or one CSV file of results, or a directory with results.csv.")
  private List<Path> inputs = new ArrayList<>();

  @Option(
      names = {"-o", "--out"},
      required = true,
      paramLabel = "DIR",
      description = "Where the files go; those of the same names are replaced.")
  private Path out;

  @Option(
      names = "--figure",
      split = ",",
      paramLabel = "NAME",
      completionCandidates = Candidates.Figures.class,
      description = "Only these figures (default: all that the input has something for).")
  private List<String> names = new ArrayList<>();

  @Mixin private FigureOptions figureOptions;

  @Option(
      names = "--window",
      paramLabel = "FROM..TO",
      description =
          "Of runs: seconds of the run that kv, utilisation, lives and step-time look at (default all).")
  private @Nullable String window;

  @Option(
      names = "--sequences",
      paramLabel = "N",
      description = "Of runs: sequences in lives at most, 1 to 1000 (default 28).")
  private int sequences = Detail.DEFAULT.lifeLines();

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "COLUMN=VALUE",
      description =
          "Of results: only these; a column named twice takes either value, columns are combined with and.")
  private List<String> only = new ArrayList<>();

  @Option(
      names = "--x",
      paramLabel = "COLUMN",
      description = "Of results: column of the horizontal axis of curve, heatmap and pareto.")
  private @Nullable String x;

  @Option(
      names = "--y",
      paramLabel = "COLUMN",
      description = "Of results: column of the vertical axis of heatmap and pareto.")
  private @Nullable String y;

  @Option(
      names = "--value",
      paramLabel = "COLUMN",
      description = "Of results: what curve and heatmap show (default: output tokens a second).")
  private @Nullable String value;

  @Option(
      names = "--partial",
      description = "Read what is there of a journal that is still being written.")
  private boolean partial;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required
  ChartsCommand() {}

  @Override
  public Integer call() {
    FigureFiles files = figureOptions.files(out);
    requireKnown();
    RunFiles.requireOthers(inputs, List.of(out));
    Path results = results();
    List<Figure> figures;
    if (results != null) {
      figures = ofResults(Results.read(results));
    } else if (inputs.isEmpty()) {
      figures = List.of(decisionMap());
    } else {
      figures = ofRuns();
    }
    for (Figure figure : figures) {
      NewFile.requireOther(out.resolve(figure.name() + ".csv"), inputs);
    }
    print(figures, files.write(figures));
    return 0;
  }

  private void requireKnown() {
    List<String> known =
        Stream.concat(FigureKind.labels().stream(), GridKind.labels().stream()).distinct().toList();
    for (String name : names) {
      if (!known.contains(name)) {
        throw new UsageException(
            "no figure '%s': there are %s".formatted(name, String.join(", ", known)));
      }
    }
  }

  /// The file of results that is the input; null where it is none.
  private @Nullable Path results() {
    List<Path> files = new ArrayList<>();
    for (Path input : inputs) {
      if (Files.isRegularFile(input)) {
        files.add(input);
      } else if (Files.isRegularFile(input.resolve(RESULTS))) {
        files.add(input.resolve(RESULTS));
      }
    }
    if (!files.isEmpty() && inputs.size() > 1) {
      throw new UsageException(
          "%s is a file of results, and figures are of one such file or of runs: give it alone"
              .formatted(files.getFirst()));
    }
    for (Path results : files) {
      if (String.valueOf(results.getFileName()).endsWith(".parquet")) {
        throw new UsageException(
            "%s is Parquet, and figures are drawn from CSV: give %s, which sweep writes beside it"
                .formatted(results, results.resolveSibling(RESULTS)));
      }
    }
    return files.isEmpty() ? null : files.getFirst();
  }

  private void forbid(String what, Map<String, Boolean> given) {
    given.forEach((option, present) -> {
      if (present) {
        throw new UsageException("%s is for figures of %s: leave it away".formatted(option, what));
      }
    });
  }

  // ------------------------------------------------------------------ runs

  private List<Figure> ofRuns() {
    Map<String, Boolean> given = new LinkedHashMap<>();
    given.put("--only", !only.isEmpty());
    given.put("--x", x != null);
    given.put("--y", y != null);
    given.put("--value", value != null);
    forbid("results", given);
    Set<FigureKind> kinds = new LinkedHashSet<>();
    for (FigureKind kind : FigureKind.values()) {
      if (names.isEmpty() || names.contains(kind.label())) {
        kinds.add(kind);
      }
    }
    for (String name : names) {
      if (!FigureKind.labels().contains(name)) {
        throw new UsageException(
            "figure '%s' is drawn from results of many runs, and %s is no CSV file of results: of runs there are %s"
                .formatted(name, inputs.getFirst(), String.join(", ", FigureKind.labels())));
      }
    }
    List<RunData> runs = readRuns(new Detail(span(), lifeLines()));
    List<Figure> figures = Charts.ofRuns(runs, kinds);
    if (!names.isEmpty()) {
      for (FigureKind kind : kinds) {
        if (kind.of(runs).isEmpty()) {
          throw new UsageException(
              "nothing to draw in figure '%s': it needs %s".formatted(kind.label(), kind.need()));
        }
      }
    }
    return figures;
  }

  private int lifeLines() {
    if (sequences < 1 || sequences > LifeLines.LINES_MAX) {
      throw new UsageException(
          "--sequences is %d, must be 1 to %,d".formatted(sequences, LifeLines.LINES_MAX));
    }
    return sequences;
  }

  private Span span() {
    if (window == null) {
      return Span.ALL;
    }
    Matcher matcher = WINDOW.matcher(window);
    if (!matcher.matches()) {
      throw new UsageException(
          "--window is '%s', must be FROM..TO in seconds, for example 100..120 or 100.."
              .formatted(window));
    }
    double from = Double.parseDouble(matcher.group(1));
    double until = matcher.group(2) == null ? SECONDS_MAX : Double.parseDouble(matcher.group(2));
    if (!(from < until && until <= SECONDS_MAX)) {
      throw new UsageException("--window is '%s', must end after it begins".formatted(window));
    }
    return new Span(Math.round(from * NANOS_PER_SECOND), Math.round(until * NANOS_PER_SECOND));
  }

  private List<RunData> readRuns(Detail detail) {
    List<RunData> runs = new ArrayList<>();
    List<String> titles = titles();
    for (int i = 0; i < inputs.size(); i++) {
      Path input = inputs.get(i);
      try (JournalReader journal = JournalOptions.open(input, partial);
          ProgressLine progress = new ProgressLine("read " + titles.get(i), "events", 0, quiet)) {
        RunData run = RunData.read(titles.get(i), journal, detail, progress::at);
        if (run.report().metrics().arrived() == 0) {
          throw new UsageException(
              "%s: no request arrived in this run, so there is nothing to draw".formatted(input));
        }
        runs.add(run);
      }
    }
    return runs;
  }

  /// The last parts of the paths, as many as tell them apart.
  private List<String> titles() {
    List<Path> paths = inputs.stream().map(path -> path.toAbsolutePath().normalize()).toList();
    if (new LinkedHashSet<>(paths).size() < paths.size()) {
      throw new UsageException("a run is given twice: give each once");
    }
    for (int parts = 1; ; parts++) {
      List<String> titles = new ArrayList<>();
      for (Path path : paths) {
        int count = path.getNameCount();
        titles.add(
            count == 0
                ? path.toString()
                : path.subpath(Math.max(0, count - parts), count).toString());
      }
      if (new LinkedHashSet<>(titles).size() == titles.size()) {
        return titles;
      }
    }
  }

  // ------------------------------------------------------------------ results

  private List<Figure> ofResults(Results all) {
    Map<String, Boolean> given = new LinkedHashMap<>();
    given.put("--window", window != null);
    given.put("--partial", partial);
    forbid("runs", given);
    Results results = only.isEmpty() ? all : all.only(wanted());
    List<GridKind> kinds = new ArrayList<>();
    for (GridKind kind : names.isEmpty() ? GridKind.suited(results) : List.of(GridKind.values())) {
      if (names.isEmpty() || names.contains(kind.label())) {
        kinds.add(kind);
      }
    }
    for (String name : names) {
      if (!GridKind.labels().contains(name)) {
        throw new UsageException(
            "figure '%s' is drawn from runs, and %s is a file of results: of results there are %s"
                .formatted(name, results.name(), String.join(", ", GridKind.labels())));
      }
    }
    if (kinds.isEmpty()) {
      throw new UsageException(
          "%s: suits no figure by itself; name one with --figure, and its axes with --x, --y and --value"
              .formatted(results.name()));
    }
    return Charts.ofResults(results, kinds, new Axes(x, y, value));
  }

  private Map<String, List<String>> wanted() {
    Map<String, List<String>> wanted = new LinkedHashMap<>();
    for (String term : only) {
      int equals = term.indexOf('=');
      if (equals < 1) {
        throw new UsageException("--only is '%s', must be COLUMN=VALUE".formatted(term));
      }
      wanted
          .computeIfAbsent(term.substring(0, equals), column -> new ArrayList<>())
          .add(term.substring(equals + 1));
    }
    return wanted;
  }

  private Figure decisionMap() {
    if (!names.equals(List.of(GridKind.DECISION_MAP.label()))) {
      throw new UsageException(
          "no INPUT: name run directories or a CSV file of results; only --figure decision-map needs none");
    }
    HandlingGrid grid = HandlingGrid.DEFAULT;
    try (ProgressLine progress = new ProgressLine("decision map", "runs", grid.size(), quiet)) {
      return Charts.decisionMap(
          grid, grid.run(Runtime.getRuntime().availableProcessors(), progress::at));
    }
  }

  private void print(List<Figure> figures, List<List<String>> files) {
    PrintWriter print = spec.commandLine().getOut();
    Table table = new Table();
    for (int i = 0; i < figures.size(); i++) {
      table.row(figures.get(i).title(), String.join(", ", files.get(i)));
    }
    table.printLeft(print);
    print.println(
        "%,d figure%s in %s".formatted(figures.size(), figures.size() == 1 ? "" : "s", out));
    print.flush();
  }
}
