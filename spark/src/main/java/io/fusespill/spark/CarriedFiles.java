package io.fusespill.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.fusespill.sweep.SweepTask;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkFiles;

/// Files that tasks name, such as traces and profiles, brought from this machine to every executor
/// in one archive, which Spark unpacks there. Below its root they have the paths that they have
/// here: names and folders of files show in results.
///
/// @param archive its name; empty where nothing needs to be brought
/// @param paths of the files, absolute
record CarriedFiles(String archive, Set<String> paths) implements Serializable {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// Parts of a task that name files; elsewhere are labels.
  private static final List<String> KEYS = List.of("scenario", "requests");

  CarriedFiles {
    paths = new TreeSet<>(paths);
  }

  /// For executors that see this machine's files.
  static CarriedFiles none() {
    return new CarriedFiles("", Set.of());
  }

  /// Packs all files of the tasks and gives them to Spark.
  static CarriedFiles send(Collection<SweepTask> tasks, SparkContext context) {
    Set<String> paths = new TreeSet<>();
    for (SweepTask task : tasks) {
      mapped(
          task.toJson(),
          text -> {
            if (text.startsWith("/") && Files.isRegularFile(Path.of(text))) {
              paths.add(text);
            }
            return text;
          });
    }
    if (paths.isEmpty()) {
      return none();
    }
    try {
      Path archive = Files.createTempFile("fusespill-sweep-", ".zip");
      archive.toFile().deleteOnExit();
      try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive))) {
        for (String path : paths) {
          zip.putNextEntry(new ZipEntry(path.substring(1)));
          Files.copy(Path.of(path), zip);
        }
      }
      context.addArchive(archive.toUri().toString());
      return new CarriedFiles(String.valueOf(archive.getFileName()), paths);
    } catch (IOException e) {
      throw new UncheckedIOException("the sweep's files cannot be packed (%s)".formatted(e), e);
    }
  }

  /// A task whose files are those on this executor.
  String localised(String task) {
    if (archive.isEmpty()) {
      return task;
    }
    String root = SparkFiles.get(archive);
    return mapped(task, text -> paths.contains(text) ? root + text : text);
  }

  private static String mapped(String task, UnaryOperator<String> change) {
    try {
      JsonNode json = MAPPER.readTree(task);
      KEYS.forEach(key -> map(json.path(key), change));
      return MAPPER.writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a task is no JSON", e);
    }
  }

  private static void map(JsonNode node, UnaryOperator<String> change) {
    switch (node) {
      case ObjectNode object ->
          object
              .properties()
              .forEach(entry -> {
                if (entry.getValue() instanceof TextNode text) {
                  entry.setValue(TextNode.valueOf(change.apply(text.textValue())));
                } else {
                  map(entry.getValue(), change);
                }
              });
      case ArrayNode array -> {
        List<JsonNode> elements = new ArrayList<>();
        array.forEach(elements::add);
        for (int i = 0; i < elements.size(); i++) {
          if (elements.get(i) instanceof TextNode text) {
            array.set(i, TextNode.valueOf(change.apply(text.textValue())));
          } else {
            map(elements.get(i), change);
          }
        }
      }
      default -> {
        // Numbers and the like name nothing.
      }
    }
  }
}
