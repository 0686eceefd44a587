package io.fusespill.cli;

import io.fusespill.replay.evaluate.NamedWorkload;
import io.fusespill.sim.workload.TraceWorkload;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The file that a table goes to, beside what is printed of it.
final class CsvOptions {

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = "Write the table, with all its columns, to FILE.")
  private @Nullable Path csv;

  @Option(names = "--force", description = "Replace the file of --csv if it exists.")
  private boolean force;

  CsvOptions() {}

  /// Null where none is asked for.
  @Nullable Path file() {
    return csv;
  }

  /// Looks where the table is to go, before anything is computed that would be lost.
  ///
  /// @param read what the table is made from
  /// @throws UsageException if it cannot go there
  void check(Path read) {
    if (csv == null) {
      return;
    }
    NewFile.requireFolder(csv);
    NewFile.requireOther(csv, List.of(read));
    NewFile.requireFree(csv, force);
  }

  /// @throws UsageException if the table would go where a trace is
  void checkTraces(List<NamedWorkload> workloads) {
    if (csv != null) {
      for (NamedWorkload each : workloads) {
        if (each.workload() instanceof TraceWorkload trace) {
          NewFile.requireOther(csv, List.of(trace.file()));
        }
      }
    }
  }
}
