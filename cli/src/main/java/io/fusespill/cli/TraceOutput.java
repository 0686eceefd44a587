package io.fusespill.cli;

import io.fusespill.tables.UnfinishedFile;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// Where a trace is written to.
final class TraceOutput {

  @Option(
      names = {"-o", "--out"},
      required = true,
      paramLabel = "FILE",
      description = "File to write.")
  private Path out;

  @Option(
      names = "--to",
      defaultValue = "lengths",
      paramLabel = "FORMAT",
      description = "lengths (CSV with arrived_at, default), vllm (JSONL) or mooncake (JSONL).")
  private String format;

  @Option(names = "--force", description = "Replace the file if it exists.")
  private boolean force;

  @SuppressWarnings("NullAway.Init") // picocli sets them
  TraceOutput() {}

  /// Writes all of `trace`, whose owner closes it. It may be read from the very file that is
  /// written, which is replaced when all is written.
  void write(TraceReader trace, PrintWriter report, long expected, boolean quiet) {
    TraceFormat target = TraceFormat.named(format);
    NewFile.requireFree(out, force);
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
    report.println("wrote %,d requests to %s (%s)".formatted(written, out, target.label()));
    report.flush();
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
