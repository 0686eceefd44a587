package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.report.export.ExportFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Which files of a folder are a run's own, so that nobody else's are taken for them.
final class RunFiles {

  static final String CONFIG = "config.json";

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
      Path folder = directory.resolve(journal);
      if (Files.isDirectory(folder)) {
        try (Stream<Path> files = Files.list(folder)) {
          if (files.anyMatch(file -> file.toString().endsWith(".cq4"))) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /// A file or folder in the run's directory that neither a run nor `export` without `-o` has
  /// written; null where there is none.
  static @Nullable Path foreign(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(file -> !file.equals(directory))
          .filter(file -> {
            Path inside = directory.relativize(file);
            return !isOwn(inside) && !isExport(inside);
          })
          .sorted()
          .findFirst()
          .orElse(null);
    }
  }

  /// Whether a run writes what is called so in its directory.
  private static boolean isOwn(Path inside) {
    String name = inside.getFileName().toString();
    if (inside.getNameCount() == 1) {
      return FILES.contains(name) || JOURNALS.contains(name);
    }
    return inside.getNameCount() == 2
        && JOURNALS.contains(inside.getName(0).toString())
        && JOURNAL_FILES.stream().anyMatch(name::endsWith);
  }

  private static boolean isExport(Path inside) {
    return Arrays.stream(ExportFormat.values()).anyMatch(format -> {
      Path output = Path.of(format.standardName());
      return inside.equals(output) || format.files(output).contains(inside);
    });
  }
}
