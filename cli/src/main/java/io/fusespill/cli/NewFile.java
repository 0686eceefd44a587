package io.fusespill.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A file that a command is to write: looked at before anything is computed that would be lost.
final class NewFile {

  private NewFile() {}

  /// A pipe or a device takes no room in its folder.
  ///
  /// @throws UsageException if there is no folder for the file, or one that takes no files
  static void requireFolder(Path file) {
    Path folder = file.toAbsolutePath().normalize().getParent();
    boolean pipe = Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file);
    if (folder == null || pipe) {
      return;
    }
    if (!Files.isDirectory(folder)) {
      throw new UsageException("cannot write %s: there is no folder %s".formatted(file, folder));
    }
    if (!Files.isWritable(folder)) {
      throw new UsageException(
          "cannot write %s: folder %s may not be written to".formatted(file, folder));
    }
  }

  /// A pipe or a device is written to as it is, so it is always free.
  ///
  /// @param force whether a file that is there is replaced
  /// @throws UsageException if one is there that must not be replaced
  static void requireFree(Path file, boolean force) {
    if (Files.isDirectory(file)) {
      throw new UsageException("%s is a folder: choose another file".formatted(file));
    }
    if (Files.isRegularFile(file) && !force) {
      throw new UsageException(
          "%s exists: choose another file, or replace it with --force".formatted(file));
    }
  }

  /// @throws UsageException if the file is one of those that are read
  static void requireOther(Path file, List<Path> read) {
    for (Path each : read) {
      try {
        if (Files.exists(file) && Files.exists(each) && Files.isSameFile(file, each)) {
          throw new UsageException("%s is what is read: choose another file".formatted(file));
        }
      } catch (IOException e) {
        throw new UsageException("%s cannot be read: %s".formatted(file, e), e);
      }
    }
  }
}
