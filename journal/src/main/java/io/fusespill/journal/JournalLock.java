package io.fusespill.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The right to write the journal of a directory: a locked file there that holds the writer's
/// process id.
///
/// The lock goes when its process does. A clean end deletes the file; one that nobody locks was
/// left by a crash.
final class JournalLock implements AutoCloseable {

  static final String FILE_NAME = "journal.lock";

  /// Directories that this process writes. A process loses its lock as soon as it closes any handle
  /// of the locked file, so inside the process nobody may open the file to learn whether it is
  /// locked.
  private static final Set<Path> HELD_HERE = new HashSet<>();

  private final Path directory;
  private final FileChannel channel;

  private JournalLock(Path directory, FileChannel channel) {
    this.directory = directory;
    this.channel = channel;
  }

  /// Creates the directory where it is missing and locks it.
  ///
  /// @throws JournalException if somebody writes there or anything lies there: a journal is written
  ///   once
  static JournalLock acquire(Path directory) throws IOException {
    synchronized (HELD_HERE) {
      if (Files.exists(directory) && !Files.isDirectory(directory)) {
        throw new JournalException(
            "%s: is a file, and a journal is a directory; choose another name"
                .formatted(directory));
      }
      Files.createDirectories(directory);
      if (isHeld(directory)) {
        throw new JournalException(
            "%s: is being written by %s; choose another directory"
                .formatted(directory, holder(directory)));
      }
      requireEmpty(directory);
      Path real = directory.toRealPath();
      FileChannel channel = lock(real.resolve(FILE_NAME));
      HELD_HERE.add(real);
      return new JournalLock(real, channel);
    }
  }

  private static void requireEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      List<String> names = files.map(file -> file.getFileName().toString()).sorted().toList();
      if (!names.isEmpty()) {
        throw new JournalException(
            "%s: holds %s already, and a journal is written once; choose a new directory"
                .formatted(directory, String.join(", ", names)));
      }
    }
  }

  private static FileChannel lock(Path file) throws IOException {
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (FileAlreadyExistsException e) {
      throw new JournalException(
          "%s: another process has just begun to write here; choose another directory"
              .formatted(file.getParent()),
          e);
    }
    try {
      channel.lock();
      String process = String.valueOf(ProcessHandle.current().pid());
      channel.write(ByteBuffer.wrap(process.getBytes(StandardCharsets.US_ASCII)));
    } catch (IOException e) {
      channel.close();
      Files.deleteIfExists(file);
      throw e;
    }
    return channel;
  }

  /// Whether a living process writes the journal of `directory`.
  static boolean isHeld(Path directory) throws IOException {
    synchronized (HELD_HERE) {
      if (HELD_HERE.contains(directory.toRealPath())) {
        return true;
      }
      try (FileChannel channel =
              FileChannel.open(directory.resolve(FILE_NAME), StandardOpenOption.READ);
          FileLock shared = channel.tryLock(0, Long.MAX_VALUE, true)) {
        return shared == null;
      } catch (NoSuchFileException e) {
        return false;
      }
    }
  }

  private static String holder(Path directory) throws IOException {
    return HELD_HERE.contains(directory.toRealPath())
        ? "this process"
        : "process " + Files.readString(directory.resolve(FILE_NAME), StandardCharsets.US_ASCII);
  }

  @Override
  public void close() throws IOException {
    synchronized (HELD_HERE) {
      Files.deleteIfExists(directory.resolve(FILE_NAME));
      channel.close();
      HELD_HERE.remove(directory);
    }
  }
}
