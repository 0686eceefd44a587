package io.fusespill.sweep;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.EngineVersion;
import io.fusespill.traces.JsonFault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The folder of a sweep.
///
/// | file | content |
/// |---|---|
/// | `sweep.json` | which sweep it is |
/// | `scenarios.log` | finished scenarios, see [ResultStore] |
/// | `results.parquet`, `results.csv` | the table, once all is done |
/// | `failures.csv` | scenarios that failed, and why |
public final class SweepDirectory {

  public static final String RESULTS_PARQUET = "results.parquet";
  public static final String RESULTS_CSV = "results.csv";
  public static final String FAILURES_CSV = "failures.csv";

  private static final String MANIFEST = "sweep.json";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private SweepDirectory() {}

  /// Makes the folder that of `plan`, or sees that it is already.
  ///
  /// @param force whether it may hold another sweep, whose finished scenarios stay
  /// @throws SweepException if it holds something else
  static void claim(Path directory, SweepPlan plan, boolean force) {
    Path manifest = directory.resolve(MANIFEST);
    ObjectNode mine = manifest(plan);
    try {
      if (Files.exists(directory) && !Files.isDirectory(directory)) {
        throw new SweepException(
            "%s is a file, must be a folder: choose another with --out".formatted(directory));
      }
      Files.createDirectories(directory);
      if (Files.exists(manifest)) {
        JsonNode there = read(manifest);
        if (there.path("scenarios_hash").equals(mine.get("scenarios_hash"))) {
          return;
        }
        if (!force) {
          throw new SweepException(
              "%s holds another sweep, with other scenarios: \"%s\" (%s, version %s), %s; choose another folder with --out, or use it all the same with --force, which keeps the finished scenarios that both have"
                  .formatted(
                      directory,
                      there.path("sweep").asText(),
                      there.path("scenarios").asText(),
                      there.path("version").asText(),
                      differsIn(there, plan)));
        }
      } else {
        requireEmpty(directory);
      }
      Path unfinished = directory.resolve(MANIFEST + ".tmp");
      Files.writeString(
          unfinished, MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(mine) + "\n");
      Files.move(unfinished, manifest, StandardCopyOption.ATOMIC_MOVE);
      for (String old : List.of(RESULTS_PARQUET, RESULTS_CSV, FAILURES_CSV)) {
        Files.deleteIfExists(directory.resolve(old));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be used (%s)".formatted(directory, e), e);
    }
  }

  private static String differsIn(JsonNode there, SweepPlan plan) {
    ObjectNode mine = manifest(plan);
    return Stream.of("sweep", "scenarios", "version")
            .allMatch(key -> there.path(key).equals(mine.get(key)))
        ? "as it was before the specification, a profile or a trace changed"
        : "not this \"%s\" (%d, version %s)"
            .formatted(plan.spec().name(), plan.tasks().size(), EngineVersion.VERSION);
  }

  private static void requireEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      List<String> names =
          files
              .map(file -> String.valueOf(file.getFileName()))
              .filter(name -> !name.equals(MANIFEST + ".tmp"))
              .sorted()
              .toList();
      if (!names.isEmpty()) {
        throw new SweepException(
            "%s holds no sweep but %s: choose an empty or new folder with --out"
                .formatted(
                    directory,
                    names.stream().limit(3).collect(Collectors.joining(", "))
                        + (names.size() > 3 ? ", …" : "")));
      }
    }
  }

  private static JsonNode read(Path manifest) throws IOException {
    try {
      return MAPPER.readTree(Files.readString(manifest));
    } catch (JsonProcessingException e) {
      throw new SweepException(
          "%s is damaged (%s): choose another folder with --out"
              .formatted(manifest, JsonFault.of(e)),
          e);
    }
  }

  private static ObjectNode manifest(SweepPlan plan) {
    String keys = plan.tasks().stream().map(SweepTask::key).collect(Collectors.joining("\n"));
    ObjectNode json = MAPPER.createObjectNode();
    json.put("sweep", plan.spec().name());
    json.put("scenarios", plan.tasks().size());
    json.put("version", EngineVersion.VERSION);
    json.put("scenarios_hash", Sha256.of(keys));
    return json;
  }

  /// The result table of a sweep: the folder's, or the file itself.
  ///
  /// @param path a sweep's folder, or a Parquet file
  /// @throws SweepException if there is none
  public static Path results(Path path) {
    if (Files.isDirectory(path)) {
      Path table = path.resolve(RESULTS_PARQUET);
      if (Files.exists(table)) {
        return table;
      }
      throw new SweepException(
          Files.exists(path.resolve(MANIFEST))
              ? "%s holds a sweep that is not finished: run 'fusespill sweep' on it again, it goes on where it was"
                  .formatted(path)
              : "%s holds no sweep: name the folder that 'fusespill sweep' wrote, or its %s"
                  .formatted(path, RESULTS_PARQUET));
    }
    if (!Files.exists(path)) {
      throw new SweepException(
          "no folder %s: name the one that 'fusespill sweep' wrote, or a Parquet file of it"
              .formatted(path));
    }
    return path;
  }
}
