package io.fusespill.report.export;

import io.fusespill.journal.JournalReader;
import io.fusespill.replay.EventJson;
import io.fusespill.replay.timeline.Timeline;
import io.fusespill.tables.TableFormat;
import io.fusespill.tables.UnfinishedFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongConsumer;
import java.util.zip.GZIPOutputStream;

/// A format that a run can be written in. Events are read once and written as they come: memory
/// follows the live sequences.
public enum ExportFormat {
  /// JSON trace events, for ui.perfetto.dev: one file, compressed if its name ends with `.gz`.
  PERFETTO("trace.json.gz") {
    @Override
    void write(JournalReader journal, Path output, LongConsumer progress) throws IOException {
      file(
          output,
          out -> {
            try (PerfettoTrace trace = new PerfettoTrace(out)) {
              fold(journal, new Timeline(trace), progress);
            }
          });
    }
  },
  /// The journal's events, one JSON object a line: one file, compressed if its name ends with
  /// `.gz`.
  JSONL("events.jsonl.gz") {
    @Override
    void write(JournalReader journal, Path output, LongConsumer progress) throws IOException {
      EventJson json = new EventJson();
      file(
          output,
          out -> {
            Writer writer = new OutputStreamWriter(out, StandardCharsets.UTF_8);
            while (journal.next()) {
              String line = json.toJson(journal.position(), journal.event()).toString();
              writer.append(line).append('\n');
              report(journal, progress);
            }
            writer.flush();
          });
    }
  },
  /// Every [RunTable] as a CSV file of one directory.
  CSV("csv") {
    @Override
    void write(JournalReader journal, Path output, LongConsumer progress) throws IOException {
      tables(TableFormat.CSV, journal, output, progress);
    }

    @Override
    public List<Path> files(Path output) {
      return TableFiles.of(output, TableFormat.CSV);
    }
  },
  /// Every [RunTable] as a Parquet file of one directory, with units and descriptions of the
  /// columns.
  PARQUET("parquet") {
    @Override
    void write(JournalReader journal, Path output, LongConsumer progress) throws IOException {
      tables(TableFormat.PARQUET, journal, output, progress);
    }

    @Override
    public List<Path> files(Path output) {
      return TableFiles.of(output, TableFormat.PARQUET);
    }
  };

  private static final int PROGRESS_MASK = (1 << 14) - 1;
  private static final int BUFFER_BYTES = 1 << 16;

  private final String standardName;

  ExportFormat(String standardName) {
    this.standardName = standardName;
  }

  /// The name that users give it.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// What the output is called in a run's directory, if nobody says otherwise.
  public String standardName() {
    return standardName;
  }

  /// The files that [#export] writes.
  ///
  /// @param output a file, or for tables a directory
  public List<Path> files(Path output) {
    return List.of(output);
  }

  /// Writes all events that `journal` has still to give. What was there before stays until all of
  /// them are written.
  ///
  /// @param output a file, or for tables a directory
  /// @param progress hears now and then how many events were read
  /// @throws UncheckedIOException if the output cannot be written, naming it and why
  public void export(JournalReader journal, Path output, LongConsumer progress) {
    try {
      write(journal, output, progress);
    } catch (IOException e) {
      throw unwritable(output, e);
    } catch (UncheckedIOException e) {
      throw unwritable(output, Objects.requireNonNull(e.getCause()));
    }
  }

  private static UncheckedIOException unwritable(Path output, IOException e) {
    return new UncheckedIOException("cannot write %s: %s".formatted(output, e), e);
  }

  abstract void write(JournalReader journal, Path output, LongConsumer progress) throws IOException;

  private static void tables(
      TableFormat format, JournalReader journal, Path output, LongConsumer progress)
      throws IOException {
    Map<String, String> metadata =
        Map.of(
            "fusespill.engine_version", journal.header().engineVersion(),
            "fusespill.config", journal.header().configJson());
    try (TableFiles files = new TableFiles(output, format, metadata)) {
      fold(journal, new Timeline(new TableRows(files)), progress);
      files.finish();
    }
  }

  private static void fold(JournalReader journal, Timeline timeline, LongConsumer progress) {
    while (journal.next()) {
      timeline.accept(journal.position(), journal.event());
      report(journal, progress);
    }
    timeline.close();
  }

  private static void report(JournalReader journal, LongConsumer progress) {
    if ((journal.position() & PROGRESS_MASK) == 0) {
      progress.accept(journal.position());
    }
  }

  /// Writes what a file contains.
  @FunctionalInterface
  private interface Content {
    void write(OutputStream out) throws IOException;
  }

  private static void file(Path output, Content content) throws IOException {
    UnfinishedFile file = new UnfinishedFile(output);
    try {
      try (OutputStream plain =
              new BufferedOutputStream(Files.newOutputStream(file.path()), BUFFER_BYTES);
          OutputStream out =
              output.toString().endsWith(".gz")
                  ? new GZIPOutputStream(plain, BUFFER_BYTES)
                  : plain) {
        content.write(out);
      }
      file.finish();
    } finally {
      file.discard();
    }
  }
}
