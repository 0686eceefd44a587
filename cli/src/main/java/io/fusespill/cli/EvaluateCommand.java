package io.fusespill.cli;

import io.fusespill.charts.Charts;
import io.fusespill.charts.Figure;
import io.fusespill.charts.FigureFiles;
import io.fusespill.charts.FigureFiles.Format;
import io.fusespill.charts.GridKind;
import io.fusespill.charts.GridKind.Axes;
import io.fusespill.charts.Results;
import io.fusespill.charts.Style;
import io.fusespill.charts.Theme;
import io.fusespill.replay.evaluate.Cell;
import io.fusespill.replay.evaluate.CellFilter;
import io.fusespill.replay.evaluate.CellResult;
import io.fusespill.replay.evaluate.CellResult.Failed;
import io.fusespill.replay.evaluate.Comparison;
import io.fusespill.replay.evaluate.Evaluation;
import io.fusespill.replay.evaluate.EvaluationReport;
import io.fusespill.replay.evaluate.EvaluationSpec;
import io.fusespill.replay.evaluate.NamedWorkload;
import io.fusespill.replay.explain.Wording;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// A grid of simulations, compared on equal hardware.
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    description = {
      "Runs a grid of platforms, models, workloads and policies in parallel and compares the policies.",
      "docs/evaluate.md describes the file; specs/ holds some.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Example:",
      "  fusespill evaluate specs/paper.yaml --only platform=1xa10,model=vicuna-7b",
      "",
      "Exit codes: 0 fine, 1 some cells failed (or internal error), 2 wrong usage or input."
    })
final class EvaluateCommand implements Callable<Integer> {

  private static final int CELL_FAILED = 1;
  private static final int JOBS_MAX = 1_024;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "SPEC", description = "Specification, a YAML file.")
  private Path file;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "AXIS=NAME",
      description =
          "Run only these cells: platform, model, workload or policy; an axis named twice takes either.")
  private List<String> only = new ArrayList<>();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "This seed in the place of the specification's; may be given again.")
  private List<Long> seeds = new ArrayList<>();

  @Option(
      names = "--jobs",
      paramLabel = "N",
      description = "Cells at once (default: as many as there are processors).")
  private @Nullable Integer jobs;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Mixin private CsvOptions csv;

  @Option(
      names = "--charts",
      paramLabel = "DIR",
      description = "Draw figures of the results in DIR; for a choice see charts.")
  private @Nullable Path charts;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required
  EvaluateCommand() {}

  @Override
  public Integer call() {
    long startNanos = System.nanoTime();
    WorkloadOptions.requireFile(file);
    csv.check(file);
    checkCharts();
    EvaluationSpec evaluation = EvaluationSpec.read(file);
    csv.checkTraces(evaluation.workloads());
    if (!seeds.isEmpty()) {
      evaluation = evaluation.withSeeds(seeds.stream().distinct().toList());
    }
    Map<String, String> skipped = new LinkedHashMap<>();
    List<Cell> cells = present(selected(evaluation), skipped);
    List<CellResult> results = run(cells);
    double wallSeconds = (System.nanoTime() - startNanos) / 1e9;
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(
          EvaluationReport.json(evaluation, results, skipped).put("wall_seconds", wallSeconds));
    } else {
      EvaluationTables.print(out, Comparison.of(results));
      printRest(out, results, skipped, wallSeconds);
    }
    out.flush();
    List<String> lines = EvaluationReport.csv(results);
    writeCsv(lines);
    drawCharts(evaluation.name(), lines);
    return results.stream().anyMatch(Failed.class::isInstance) ? CELL_FAILED : 0;
  }

  /// The folder of the figures is made where there is none, in one that may be written to.
  private void checkCharts() {
    if (charts != null) {
      Path there = charts.toAbsolutePath().normalize();
      while (there.getParent() != null && !Files.exists(there)) {
        there = there.getParent();
      }
      if (!Files.isDirectory(there) || !Files.isWritable(there)) {
        throw new UsageException(
            "--charts %s cannot be written: %s must be a folder that may be written to"
                .formatted(charts, there));
      }
    }
  }

  private List<Cell> selected(EvaluationSpec evaluation) {
    try {
      return new CellFilter(only).of(evaluation.cells());
    } catch (IllegalArgumentException e) {
      throw new UsageException("--only: " + e.getMessage(), e);
    }
  }

  private List<Cell> present(List<Cell> cells, Map<String, String> skipped) {
    List<Cell> present = new ArrayList<>();
    for (Cell cell : cells) {
      NamedWorkload workload = cell.workload();
      Path missing = workload.missingFile();
      if (missing == null) {
        present.add(cell);
      } else {
        skipped.put(workload.name(), "no file %s".formatted(missing));
      }
    }
    if (present.isEmpty()) {
      throw new UsageException(
          "%s: no workload is there: %s".formatted(file, String.join(", ", skipped.values())));
    }
    return present;
  }

  private List<CellResult> run(List<Cell> cells) {
    int threads = jobs == null ? Runtime.getRuntime().availableProcessors() : jobs;
    if (threads < 1 || threads > JOBS_MAX) {
      throw new UsageException("--jobs is %d, must be 1 to %,d".formatted(threads, JOBS_MAX));
    }
    Evaluation running = new Evaluation(cells);
    try (ProgressLine progress =
        new ProgressLine("evaluate", "requests", running.requests(), quiet)) {
      return running.run(threads, progress::at);
    }
  }

  /// Figures that suit the results, where any cell ran.
  private void drawCharts(String name, List<String> lines) {
    if (charts != null && !lines.isEmpty()) {
      Results results = Results.of(name, String.join("\n", lines) + "\n");
      new FigureFiles(
              charts,
              EnumSet.allOf(Format.class),
              EnumSet.of(Theme.LIGHT),
              Style.COLUMN_INCHES,
              Figure.PRINT_DPI)
          .write(Charts.ofResults(results, GridKind.suited(results), Axes.DEFAULT));
    }
  }

  private void writeCsv(List<String> lines) {
    Path csvFile = csv.file();
    if (csvFile != null) {
      try {
        Files.write(csvFile, lines);
      } catch (IOException e) {
        throw new UncheckedIOException("--csv %s cannot be written (%s)".formatted(csvFile, e), e);
      }
    }
  }

  private static void printRest(
      PrintWriter out, List<CellResult> results, Map<String, String> skipped, double wallSeconds) {
    out.println(
        "%s in %s s"
            .formatted(Wording.count(results.size(), "cell"), TableText.seconds(wallSeconds)));
    skipped.forEach((name, why) -> out.println("skipped workload %s: %s".formatted(name, why)));
    for (CellResult result : results) {
      if (result instanceof Failed failed) {
        out.println(
            "failed: %s (seed %d): %s"
                .formatted(failed.cell().title(), failed.cell().seed(), failed.message()));
      }
    }
  }
}
