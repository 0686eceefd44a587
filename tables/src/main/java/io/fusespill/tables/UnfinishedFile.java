package io.fusespill.tables;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// A file beside the one that it becomes, so that nobody ever sees half of it, and what was there
/// before stays until all is written. Its name is one that nobody else gives a file. A process that
/// is interrupted takes it along; what one that was killed left under it is written over.
///
/// What a symbolic link names is replaced, not the link. A pipe or a device cannot be replaced: it
/// is written to as it is.
public final class UnfinishedFile {

  private final Path named;
  private final Path target;
  private final Path path;

  public UnfinishedFile(Path target) {
    named = target;
    this.target = resolved(target);
    boolean replaceable = !Files.exists(target) || Files.isRegularFile(target);
    path =
        replaceable
            ? this.target.resolveSibling(".%s.unfinished".formatted(this.target.getFileName()))
            : this.target;
    if (replaceable) {
      path.toFile().deleteOnExit();
    }
  }

  private static Path resolved(Path target) {
    try {
      return Files.isSymbolicLink(target) ? target.toRealPath() : target;
    } catch (IOException e) {
      // It names nothing that is there.
      return target;
    }
  }

  /// What is to be written.
  public Path path() {
    return path;
  }

  /// Takes the target's place.
  public void finish() throws IOException {
    if (!path.equals(target)) {
      Files.move(path, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /// Leaves nothing behind of what was not finished; after [#finish] there is nothing to leave.
  public void discard() throws IOException {
    if (!path.equals(target)) {
      Files.deleteIfExists(path);
    }
  }

  UncheckedIOException failed(IOException e) {
    return new UncheckedIOException("%s cannot be written (%s)".formatted(named, e), e);
  }
}
