package io.fusespill.cli;

import io.fusespill.journal.JournalReader;
import io.fusespill.report.export.ExportFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// A run in a format that other tools open.
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a run in a format that other tools open: perfetto, parquet, csv or jsonl.",
      "  perfetto  a trace for ui.perfetto.dev: a track a device, link and sequence, counters, decisions",
      "  parquet   tables of requests, sequences, steps, transfers and weighed choices, for DuckDB, pandas, Spark",
      "  csv       the same tables as text",
      "  jsonl     every event of the journal, one JSON object a line",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill export runs/NAME --to perfetto -o trace.json.gz     then open it in https://ui.perfetto.dev",
      "  fusespill export runs/NAME --to csv -o tables"
    })
final class ExportCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Mixin private JournalOptions journalOptions;

  @Option(
      names = "--to",
      required = true,
      paramLabel = "FORMAT",
      completionCandidates = Candidates.ExportFormats.class,
      description = "perfetto, parquet, csv or jsonl.")
  private ExportFormat format;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "PATH",
      description = {
        "File, or for parquet and csv directory (default: trace.json.gz, events.jsonl.gz, parquet or csv in the run's directory).",
        "What is there is replaced, but for the run's own files. A file whose name ends with .gz is compressed."
      })
  private @Nullable Path out;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required
  ExportCommand() {}

  @Override
  public Integer call() {
    journalOptions.requireRequest();
    Path output = out == null ? standardOutput() : out;
    RunFiles.requireOthers(List.of(journalOptions.run()), format.files(output));
    if (format.files(output).contains(output)) {
      NewFile.requireFolder(output);
    }
    try (JournalReader journal = journalOptions.open();
        ProgressLine progress = new ProgressLine("export", "events", 0, quiet)) {
      format.export(journal, output, progress::at);
    }
    spec.commandLine().getOut().println("wrote %s".formatted(output));
    return 0;
  }

  private Path standardOutput() {
    Path run = journalOptions.run();
    if (!Files.isDirectory(run.resolve("journal"))) {
      throw new UsageException(
          "%s is a journal and no run directory: name the output with -o".formatted(run));
    }
    return run.resolve(format.standardName());
  }
}
