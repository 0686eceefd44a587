package io.fusespill.cli;

import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.journal.JournalException;
import io.fusespill.journal.JournalReader;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Which journal to read.
final class JournalOptions {

  @Parameters(paramLabel = "RUN", description = "Run directory, or a journal itself.")
  private Path run;

  @Option(
      names = "--partial",
      description = "Read what is there of a journal that is still being written.")
  private boolean partial;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  JournalOptions() {}

  Path run() {
    return run;
  }

  /// Whether somebody writes to the journal.
  boolean isBeingWritten() {
    return JournalReader.isBeingWritten(RunDirectory.journalOf(run));
  }

  /// Opens the journal for reading.
  ///
  /// @throws UsageException if somebody writes to it and `--partial` was not given
  JournalReader open() {
    return open(run, partial);
  }

  /// Opens the journal of the run that `path` names.
  ///
  /// @param partial whether what is there is enough where somebody writes to it
  /// @throws UsageException if somebody writes to it and it is not
  static JournalReader open(Path path, boolean partial) {
    Path journal = RunDirectory.journalOf(path);
    if (!partial && JournalReader.isBeingWritten(journal)) {
      throw new UsageException(
          "%s is still being written: wait for the run to end, or read what is there with --partial"
              .formatted(journal));
    }
    try {
      return JournalReader.open(journal);
    } catch (JournalException e) {
      RunFiles.requireNoFolderOfRuns(path);
      throw e;
    }
  }

  /// @throws UsageException if no request arrives in the journal: there is nothing to show
  void requireRequest() {
    requireRequest(run, partial);
  }

  /// @throws UsageException if no request arrives in a journal: there is nothing to show
  static void requireRequest(Path run, boolean partial) {
    try (JournalReader reader = open(run, partial)) {
      if (!holdsRequest(reader)) {
        throw new UsageException("%s holds no request: nothing ran in it".formatted(run));
      }
    }
  }

  /// Whether a request arrived in the journal of a run, as far as that can be read.
  static boolean holdsRequest(Path run) {
    try (JournalReader reader = open(run, true)) {
      return holdsRequest(reader);
    } catch (JournalException e) {
      return false;
    }
  }

  private static boolean holdsRequest(JournalReader reader) {
    while (reader.next()) {
      if (reader.event() instanceof RequestArrived) {
        return true;
      }
    }
    return false;
  }
}
