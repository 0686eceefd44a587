package io.fusespill.tables;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// A file beside the one that it becomes, so that nobody ever sees half of a table.
final class UnfinishedFile {

  private final Path target;
  private final Path path;

  UnfinishedFile(Path target) {
    this.target = target;
    this.path = target.resolveSibling(target.getFileName() + ".tmp");
  }

  Path path() {
    return path;
  }

  /// Takes the target's place.
  void finish() throws IOException {
    Files.move(path, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /// Leaves nothing behind of what was not finished.
  void discard() throws IOException {
    Files.deleteIfExists(path);
  }

  UncheckedIOException failed(IOException e) {
    return new UncheckedIOException("%s cannot be written (%s)".formatted(target, e), e);
  }
}
