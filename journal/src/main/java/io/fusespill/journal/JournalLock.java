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
import java.util.Set;

/// The right to write a journal: a locked file in its directory that holds the writer's process id.
///
/// The lock goes with its process; a clean end deletes the file, so that a file without a lock tells of a crash.
final class JournalLock implements AutoCloseable {

  static final String FILE_NAME = "journal.lock";

  /// Directories that this process writes. The operating system gives a process's lock up as soon as the process closes
  /// any handle of the file, so within the process nobody may look at the file to learn of the lock.
  private static final Set<Path> HELD_HERE = new HashSet<>();

  private final Path directory;
  private final FileChannel channel;

  private JournalLock(Path directory, FileChannel channel) {
    this.directory = directory;
    this.channel = channel;
  }

  /// Locks an existing directory that has no lock file.
  ///
  /// @throws FileAlreadyExistsException if it has one
  static JournalLock acquire(Path directory) throws IOException {
    synchronized (HELD_HERE) {
      Path real = directory.toRealPath();
      FileChannel channel =
          FileChannel.open(
              real.resolve(FILE_NAME), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      channel.lock();
      channel.write(
          ByteBuffer.wrap(
              String.valueOf(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
      HELD_HERE.add(real);
      return new JournalLock(real, channel);
    }
  }

  /// Whether a living process writes the journal in `directory`.
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

  /// The process that [#isHeld], as it wrote itself down.
  static String holder(Path directory) throws IOException {
    synchronized (HELD_HERE) {
      return HELD_HERE.contains(directory.toRealPath())
          ? "this process"
          : "process " + Files.readString(directory.resolve(FILE_NAME), StandardCharsets.US_ASCII);
    }
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
