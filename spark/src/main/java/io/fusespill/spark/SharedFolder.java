package io.fusespill.spark;

import io.fusespill.sweep.SweepException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;

/// The folder that executors write into, on a file system that all their machines share.
///
/// @param path of the folder
/// @param mark a file in it that is there as long as the sweep runs, by which an executor knows the
///   folder
record SharedFolder(String path, String mark) implements Serializable, AutoCloseable {

  private static final String NAME = "parts";

  /// Makes it in the folder of a sweep, empty.
  static SharedFolder in(Path sweep) {
    Path folder = sweep.toAbsolutePath().normalize().resolve(NAME);
    try {
      Files.createDirectories(folder);
      empty(folder);
      Path mark = Files.createTempFile(folder, ".running-", "");
      return new SharedFolder(folder.toString(), mark.toString());
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be written (%s)".formatted(folder, e), e);
    }
  }

  private static void empty(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  /// @throws SweepException if this machine does not see the folder
  void requireVisible() {
    if (!Files.exists(Path.of(mark))) {
      throw new SweepException(
          "it does not see %s, which must be on a file system that all machines share; choose another --out"
              .formatted(path));
    }
  }

  /// A file that nobody else writes.
  ///
  /// @param attempt number of the task's attempt
  Path unfinished(String key, long attempt) {
    return Path.of(path).resolve(".%s-%d".formatted(key, attempt));
  }

  /// Gives a file its name, in the place of what had it.
  void finish(Path unfinished, String key) {
    Path part = Path.of(path).resolve(key + ".parquet");
    try {
      Files.move(
          unfinished, part, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be written (%s)".formatted(part, e), e);
    }
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(Path.of(mark));
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be deleted (%s)".formatted(mark, e), e);
    }
  }
}
