package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.report.export.ExportFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Which files of a folder are a run's own, so that nobody else's are taken for them.
final class RunFiles {

  static final String CONFIG = "config.json";

  /// Where an earlier run is kept until the one in its place has ended.
  static final String EARLIER = "earlier";

  private static final Set<String> FILES =
      Set.of(
          CONFIG,
          "options.json",
          "lengths.csv",
          "requests.csv",
          "summary.json",
          "live.json",
          "requests.jsonl",
          "outputs.jsonl",
          "disk.kv");

  private static final Set<String> JOURNALS = Set.of("journal", "journal.before");
  private static final List<String> JOURNAL_FILES = List.of(".cq4", ".cq4t", "journal.lock");

  /// What every configuration has, and hardly another program's file of the same name.
  private static final List<String> CONFIG_KEYS = List.of("kv", "limits", "policy", "places");

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private RunFiles() {}

  /// Whether there is a run, of whichever kind and however far it came.
  static boolean holdsRun(Path directory) throws IOException {
    Path earlier = directory.resolve(EARLIER);
    return isRun(directory) || (Files.isDirectory(earlier) && isRun(earlier));
  }

  /// @throws UsageException if a folder is no run and holds some, such as `runs` itself
  static void requireNoFolderOfRuns(Path folder) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> entries = Files.list(folder)) {
      if (holdsRun(folder)) {
        return;
      }
      for (Path entry : entries.sorted().toList()) {
        if (holdsRun(entry)) {
          throw new UsageException(
              "%s is no run, but a folder of runs: name those meant, for example %s"
                  .formatted(folder, entry));
        }
      }
    } catch (IOException e) {
      throw new UsageException("%s cannot be read: %s".formatted(folder, e), e);
    }
  }

  private static boolean isRun(Path directory) throws IOException {
    Path config = directory.resolve(CONFIG);
    return Files.isRegularFile(config) && (isConfiguration(config) || holdsJournal(directory));
  }

  private static boolean isConfiguration(Path file) throws IOException {
    try {
      JsonNode json = MAPPER.readTree(file.toFile());
      return json != null && CONFIG_KEYS.stream().allMatch(json::has);
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  private static boolean holdsJournal(Path directory) throws IOException {
    for (String journal : JOURNALS) {
      if (isJournal(directory.resolve(journal))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isJournal(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.anyMatch(file -> file.toString().endsWith(".cq4"));
    }
  }

  /// What lies in the directory and is a run's own or an export of it, but for the earlier run; the
  /// configuration last.
  static List<Path> entries(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(entry -> {
            Path inside = directory.relativize(entry);
            return isWritten(inside) && !inside.startsWith(EARLIER);
          })
          .sorted(
              Comparator.comparing((Path entry) -> entry.endsWith(CONFIG))
                  .thenComparing(Comparator.naturalOrder()))
          .toList();
    }
  }

  /// A file or folder in the run's directory, relative to it, that neither a run nor `export`
  /// without `-o` has written; null where there is none.
  static @Nullable Path foreign(Path directory) throws IOException {
    Path real = directory.toRealPath();
    try (Stream<Path> all = Files.walk(real)) {
      return all.filter(file -> !file.equals(real))
          .map(real::relativize)
          .filter(inside -> !isWritten(inside))
          .sorted()
          .findFirst()
          .orElse(null);
    }
  }

  /// Looks whether files may be written that are made of some runs, and changes nothing.
  ///
  /// @param runs run directories, or journals themselves
  /// @throws UsageException if one of them is a run's own file, or lies in its journal
  static void requireOthers(List<Path> runs, List<Path> outputs) {
    for (Path output : outputs) {
      for (Path run : runs) {
        try {
          if (Files.isDirectory(run) && isOwn(run.toRealPath(), real(output))) {
            throw new UsageException(
                "--out %s is a file of the run %s, which is read: choose another"
                    .formatted(output, run));
          }
        } catch (IOException e) {
          throw new UsageException("--out %s cannot be read: %s".formatted(output, e), e);
        }
      }
    }
  }

  /// @param run a run directory, or a journal in one or elsewhere; of another folder nothing is a
  ///   run's own
  private static boolean isOwn(Path run, Path output) throws IOException {
    boolean journal = isJournal(run);
    if (journal && output.startsWith(run)) {
      return true;
    }
    Path directory = journal ? run.getParent() : run;
    if (directory == null
        || !(holdsRun(directory) || holdsJournal(directory))
        || !output.startsWith(directory)
        || output.equals(directory)) {
      return false;
    }
    Path inside = directory.relativize(output);
    return JOURNALS.contains(inside.getName(0).toString()) || isOwn(inside);
  }

  /// The path without links; of a file that is not there yet, that of its folder with its name.
  private static Path real(Path path) throws IOException {
    if (Files.exists(path)) {
      return path.toRealPath();
    }
    Path absolute = path.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    return parent == null ? absolute : real(parent).resolve(absolute.getFileName());
  }

  /// Whether a run writes what is called so in its directory.
  private static boolean isOwn(Path inside) {
    if (inside.startsWith(EARLIER)) {
      return inside.getNameCount() == 1 || isWritten(inside.subpath(1, inside.getNameCount()));
    }
    String name = inside.getFileName().toString();
    if (inside.getNameCount() == 1) {
      return FILES.contains(name) || JOURNALS.contains(name);
    }
    return inside.getNameCount() == 2
        && JOURNALS.contains(inside.getName(0).toString())
        && JOURNAL_FILES.stream().anyMatch(name::endsWith);
  }

  private static boolean isWritten(Path inside) {
    return isOwn(inside) || isExport(inside);
  }

  private static boolean isExport(Path inside) {
    return Arrays.stream(ExportFormat.values())
        .anyMatch(format -> {
          Path output = Path.of(format.standardName());
          return inside.equals(output) || format.files(output).contains(inside);
        });
  }
}
