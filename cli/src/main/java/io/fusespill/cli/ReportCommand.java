package io.fusespill.cli;

import io.fusespill.report.Report;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Runs on one page.
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = {
      "Writes one self-contained HTML page about one run, or about several compared.",
      "Figures with gains over the first, an interactive timeline, the most expensive decisions explained,",
      "predictor accuracy, configuration, and what to know before quoting a figure.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Example:",
      "  fusespill report runs/demo/vllm-0.2.7-swap runs/demo/fusespill -o report.html"
    })
final class ReportCommand implements Callable<Integer> {

  /// Decisions that are explained unless somebody says otherwise.
  static final int MOST_EXPENSIVE = 12;

  @Spec private CommandSpec spec;

  @Parameters(
      arity = "1..*",
      paramLabel = "RUN",
      description = "Run directories, or journals themselves; the first is the baseline.")
  private List<Path> runs;

  @Option(
      names = {"-o", "--out"},
      defaultValue = "report.html",
      paramLabel = "FILE",
      description =
          "The page (default report.html); what is there is replaced, but for the runs' own files.")
  private Path out;

  @Option(
      names = "--most-expensive",
      paramLabel = "K",
      description =
          "Explain the K decisions with the greatest estimated loss, 0 to 200 (default 12).")
  private int mostExpensive = MOST_EXPENSIVE;

  @Option(
      names = "--partial",
      description = "Read what is there of journals that are still being written.")
  private boolean partial;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  ReportCommand() {}

  @Override
  public Integer call() {
    if (mostExpensive < 0 || mostExpensive > Report.TOLD_MAX) {
      throw new UsageException(
          "--most-expensive is %d, must be 0 to %d".formatted(mostExpensive, Report.TOLD_MAX));
    }
    if (runs.size() > Report.RUNS_MAX) {
      throw new UsageException(
          "%d runs, must be at most %d on one page".formatted(runs.size(), Report.RUNS_MAX));
    }
    RunFiles.requireOthers(runs, List.of(out));
    NewFile.requireFolder(out);
    write(runs, mostExpensive, out, partial, quiet);
    spec.commandLine().getOut().println("wrote %s".formatted(out));
    return 0;
  }

  /// Writes the page about some runs, each called as its directory is.
  static void write(List<Path> runs, int mostExpensive, Path out, boolean partial, boolean quiet) {
    List<Report.Source> sources = new ArrayList<>();
    List<String> names = names(runs);
    for (int i = 0; i < runs.size(); i++) {
      Path run = runs.get(i);
      JournalOptions.requireRequest(run, partial);
      sources.add(
          new Report.Source(
              names.get(i), () -> JournalOptions.open(run, partial), RunDirectory.summaryOf(run)));
    }
    try (ProgressLine progress = new ProgressLine("report", "events", 0, quiet)) {
      Report.write(sources, mostExpensive, out, progress::at);
    }
  }

  /// Names of the directories, with as much of the path as it takes to tell them apart.
  private static List<String> names(List<Path> runs) {
    List<Path> paths = runs.stream().map(run -> run.toAbsolutePath().normalize()).toList();
    Set<Path> different = new LinkedHashSet<>(paths);
    if (different.size() < paths.size()) {
      throw new UsageException(
          "%s is given twice: give each run once"
              .formatted(
                  runs.stream()
                      .filter(run ->
                          runs.stream()
                                  .filter(other ->
                                      other
                                          .toAbsolutePath()
                                          .normalize()
                                          .equals(run.toAbsolutePath().normalize()))
                                  .count()
                              > 1)
                      .findFirst()
                      .orElseThrow()));
    }
    for (int parts = 1; ; parts++) {
      List<String> names = new ArrayList<>();
      for (Path path : paths) {
        int count = path.getNameCount();
        names.add(path.subpath(Math.max(0, count - parts), count).toString());
      }
      if (new LinkedHashSet<>(names).size() == names.size()) {
        return names;
      }
    }
  }
}
