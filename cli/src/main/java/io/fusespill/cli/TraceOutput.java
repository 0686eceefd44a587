package io.fusespill.cli;

import io.fusespill.replay.explain.Wording;
import io.fusespill.tables.UnfinishedFile;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Where a trace is written to.
final class TraceOutput {

  private static final List<String> JSON_ENDINGS = List.of(".jsonl", ".json", ".ndjson");

  @Option(
      names = {"-o", "--out"},
      required = true,
      paramLabel = "FILE",
      description = "File to write.")
  private Path out;

  @Option(
      names = "--to",
      paramLabel = "FORMAT",
      description =
          "lengths (CSV with arrived_at, default unless FILE is named as JSON), vllm (JSONL) or mooncake (JSONL).")
  private @Nullable String format;

  @Option(names = "--force", description = "Replace the file if it exists.")
  private boolean force;

  @SuppressWarnings("NullAway.Init") // picocli sets them
  TraceOutput() {}

  /// Writes all of `trace`, whose owner closes it. It may be read from the very file that is
  /// written, which is replaced when all is written.
  void write(TraceReader trace, PrintWriter report, long expected, boolean quiet) {
    NewFile.requireFree(out, force);
    TraceFormat target = format == null ? byName() : TraceFormat.named(format);
    NewFile.requireFolder(out);
    UnfinishedFile unfinished = new UnfinishedFile(out);
    long written;
    try {
      try {
        written = write(trace, target, unfinished.path(), expected, quiet);
        unfinished.finish();
      } finally {
        unfinished.discard();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be written (%s)".formatted(out, e), e);
    }
    report.println(
        "wrote %s to %s (%s)".formatted(Wording.count(written, "request"), out, target.label()));
    report.flush();
  }

  /// What to write where no format is given. JSON lines of either format look alike by their name,
  /// and only one keeps ids of prompt prefixes.
  private TraceFormat byName() {
    String name = out.getFileName().toString();
    if (JSON_ENDINGS.stream().anyMatch(name::endsWith)) {
      throw new UsageException(
          "%s is named as JSON, which two formats are: say which with --to vllm or --to mooncake (which keeps prefixes), or name a .csv for lengths"
              .formatted(out));
    }
    return TraceFormat.LENGTHS;
  }

  private static long write(
      TraceReader trace, TraceFormat target, Path file, long expected, boolean quiet) {
    long written = 0;
    try (TraceWriter writer = target.create(file);
        ProgressLine progress = new ProgressLine("write", "requests", expected, quiet)) {
      while (trace.hasNext()) {
        writer.write(trace.next());
        progress.at(++written);
      }
    }
    return written;
  }
}
