package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.journal.JournalReader;
import io.fusespill.live.RunJournal;
import io.fusespill.traces.JsonFault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where a run leaves what it was and what it came to: `options.json`, `config.json`, `journal/`,
/// `lengths.csv`, `requests.csv`, `summary.json`. A live run also leaves `live.json`,
/// `requests.jsonl` and `outputs.jsonl`.
///
/// Where a run takes the place of an earlier one, that lies in `earlier/` until the new one has its
/// summary. A configuration is the last to come there, the first to come back and the last to be
/// deleted: `earlier/` is whole if and only if it has one, whenever the process is killed.
record RunDirectory(Path path) {

  private static final String SUMMARY = "summary.json";
  private static final String OPTIONS = "options.json";
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /// Makes a new directory, in the place of an earlier run only if `force` says so.
  static RunDirectory create(Path path, boolean force) {
    check(path, force);
    try {
      RunDirectory directory = new RunDirectory(path);
      if (Files.exists(path)) {
        directory.setAside();
      } else {
        Files.createDirectories(path);
      }
      return directory;
    } catch (IOException e) {
      throw unmakeable(path, e);
    }
  }

  /// Looks whether [#create] may make the directory, and changes nothing.
  ///
  /// @throws UsageException if it may not
  static void check(Path path, boolean force) {
    try {
      if (Files.exists(path) && !isEmptyDirectory(path)) {
        if (!RunFiles.holdsRun(path)) {
          throw new UsageException(
              "%s exists and is not a run directory: choose another --out".formatted(path));
        }
        if (!force) {
          throw new UsageException(
              "%s holds an earlier run: choose another --out, or replace it with --force"
                  .formatted(path));
        }
        if (JournalReader.isBeingWritten(journalOf(path))) {
          throw new UsageException(
              "%s belongs to a run that is still going on: choose another --out".formatted(path));
        }
        Path foreign = RunFiles.foreign(path);
        if (foreign != null) {
          throw new UsageException(
              "%s holds %s, which no run has written: move it away, or choose another --out"
                  .formatted(path, foreign));
        }
      }
    } catch (IOException e) {
      throw unmakeable(path, e);
    }
  }

  private static UsageException unmakeable(Path path, IOException e) {
    return new UsageException("cannot make the run directory %s: %s".formatted(path, e), e);
  }

  private static boolean isEmptyDirectory(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.findAny().isEmpty();
    }
  }

  /// Puts the run that is there aside; one that never ended makes way for a whole one that it was
  /// itself to replace.
  private void setAside() throws IOException {
    Path earlier = earlier();
    if (Files.isDirectory(earlier)) {
      if (!Files.exists(earlier.resolve(RunFiles.CONFIG))) {
        bringBack();
      } else if (Files.exists(path.resolve(SUMMARY))) {
        deleteAll(earlier);
      } else {
        deleteEntries(path);
        return;
      }
    }
    List<Path> entries = RunFiles.entries(path);
    if (!entries.isEmpty()) {
      Files.createDirectory(earlier);
      for (Path entry : entries) {
        Files.move(entry, earlier.resolve(entry.getFileName()));
      }
    }
  }

  private void bringBack() throws IOException {
    Path earlier = earlier();
    for (Path entry : RunFiles.entries(earlier).reversed()) {
      Files.move(entry, path.resolve(entry.getFileName()));
    }
    Files.delete(earlier);
  }

  private Path earlier() {
    return path.resolve(RunFiles.EARLIER);
  }

  /// For a run that has failed. One that came to nothing leaves nothing, and what it was to replace
  /// is there again; of another one its user may still read, or resume, what it has left.
  ///
  /// @param again whether the same command makes the same run again, so that nothing is lost with
  ///   one that failed for what it was given
  void giveUp(RuntimeException failure, boolean again) {
    try {
      if ((again && Failures.isOfInput(failure)) || !JournalOptions.holdsRequest(path)) {
        deleteEntries(path);
        if (Files.isDirectory(earlier())) {
          bringBack();
        } else if (isEmptyDirectory(path) && !Files.isSymbolicLink(path)) {
          Files.delete(path);
        }
      }
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private static void deleteEntries(Path directory) throws IOException {
    for (Path entry : RunFiles.entries(directory)) {
      delete(entry);
    }
  }

  private static void deleteAll(Path directory) throws IOException {
    deleteEntries(directory);
    delete(directory);
  }

  private static void delete(Path path) throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> all = Files.walk(path)) {
      deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : deepestFirst) {
      Files.delete(file);
    }
  }

  /// The journal of the run that `path` names: a run directory, or a journal itself. Of a run whose
  /// `resume` was interrupted, the one that is whole.
  static Path journalOf(Path path) {
    Path journal = RunJournal.whole(path.resolve("journal"));
    return Files.isDirectory(journal) ? journal : path;
  }

  /// What the run that `path` names says of itself; an empty object where it left no summary.
  static JsonNode summaryOf(Path path) {
    return read(path.resolve(SUMMARY));
  }

  private static JsonNode read(Path file) {
    try {
      return Files.exists(file) ? MAPPER.readTree(file.toFile()) : MAPPER.createObjectNode();
    } catch (IOException e) {
      throw new UsageException("%s cannot be read: %s".formatted(file, JsonFault.of(e)), e);
    }
  }

  Path journal() {
    return path.resolve("journal");
  }

  Path requests() {
    return path.resolve("requests.csv");
  }

  /// True output lengths of the requests, which only the simulated world knows.
  Path lengths() {
    return path.resolve("lengths.csv");
  }

  /// What it takes to go on with a live run.
  Path live() {
    return path.resolve("live.json");
  }

  /// The requests of a live run, whole before the first is sent.
  Path liveRequests() {
    return path.resolve("requests.jsonl");
  }

  /// What became of them; there once a live run is complete.
  Path outputs() {
    return path.resolve("outputs.jsonl");
  }

  /// Whether there is a run, of whichever kind.
  boolean holdsRun() {
    return Files.exists(path.resolve(RunFiles.CONFIG));
  }

  /// Keeps what the run was asked for.
  void writeOptions(GivenOptions given) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode options = json.putArray("options");
    given.arguments().forEach(options::add);
    write(OPTIONS, json);
  }

  /// What the run was asked for, or null where nobody kept it.
  @Nullable GivenOptions options() {
    Path file = path.resolve(OPTIONS);
    if (!Files.exists(file)) {
      return null;
    }
    try {
      JsonNode options = MAPPER.readTree(Files.readString(file)).path("options");
      List<String> arguments = new ArrayList<>();
      options.forEach(argument -> arguments.add(argument.asText()));
      return GivenOptions.ofArguments(arguments);
    } catch (JsonProcessingException e) {
      throw new UsageException(
          "%s is not JSON: delete it, and the options are those of the journal's configuration"
              .formatted(file),
          e);
    } catch (IOException e) {
      throw new UsageException("%s is not readable: %s".formatted(file, e.getMessage()), e);
    }
  }

  void writeLive(JsonNode live) {
    write(String.valueOf(live().getFileName()), live);
  }

  void writeConfig(JsonNode config) {
    write(RunFiles.CONFIG, config);
  }

  /// Has all files that are there outlive a loss of power, with their names and that of the folder.
  void force() {
    try {
      Path real = path.toRealPath();
      try (Stream<Path> all = Files.list(real)) {
        for (Path file : all.filter(Files::isRegularFile).toList()) {
          force(file);
        }
      }
      force(real);
      if (real.getParent() != null) {
        force(real.getParent());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot force %s to storage: %s".formatted(path, e), e);
    }
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /// What the run was; an empty object where nobody kept it.
  JsonNode config() {
    return read(path.resolve(RunFiles.CONFIG));
  }

  /// Keeps what the run came to. With that it is whole, and what it replaces goes.
  void writeSummary(JsonNode summary) {
    write(SUMMARY, summary);
    try {
      if (Files.isDirectory(earlier())) {
        deleteAll(earlier());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete %s: %s".formatted(earlier(), e), e);
    }
  }

  private void write(String name, JsonNode json) {
    try {
      Files.writeString(
          path.resolve(name), MAPPER.writeValueAsString(json) + "\n", StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write %s: %s".formatted(path.resolve(name), e), e);
    }
  }
}
