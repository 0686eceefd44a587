package io.fusespill.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/// A journal's directory on a real file system, locked while it is written.
final class FileStorage implements JournalStorage {

  /// What Chronicle calls the file of its first day.
  static final String QUEUE_FILE = "19700101L.cq4";

  static final String METADATA_FILE = "metadata.cq4t";

  private final Path directory;
  private final JournalLock lock;
  private final FileChannel queueFile;

  private FileStorage(Path directory, JournalLock lock, FileChannel queueFile) {
    this.directory = directory;
    this.lock = lock;
    this.queueFile = queueFile;
  }

  /// Locks the directory and creates an empty queue file, which Chronicle then finds and fills.
  static FileStorage open(Path directory) throws IOException {
    JournalLock lock = JournalLock.acquire(directory);
    try {
      return new FileStorage(
          directory,
          lock,
          FileChannel.open(
              directory.resolve(QUEUE_FILE),
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.WRITE));
    } catch (IOException e) {
      lock.close();
      throw e;
    }
  }

  @Override
  public void write(ByteBuffer bytes, long offset) throws IOException {
    long at = offset;
    while (bytes.hasRemaining()) {
      at += queueFile.write(bytes, at);
    }
  }

  @Override
  public void force() throws IOException {
    queueFile.force(false);
  }

  @Override
  public void forceNames() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files = all.toList();
    }
    for (Path file : files) {
      force(file);
    }
    Path real = directory.toRealPath();
    force(real);
    Path parent = real.getParent();
    if (parent != null) {
      force(parent);
    }
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public long usableBytes() throws IOException {
    return Files.getFileStore(directory).getUsableSpace();
  }

  @Override
  public void close(long bytes) throws IOException {
    try (lock;
        queueFile) {
      queueFile.truncate(bytes);
    }
  }

  @Override
  public void discard() throws IOException {
    try (lock;
        queueFile) {
      Files.deleteIfExists(directory.resolve(QUEUE_FILE));
      Files.deleteIfExists(directory.resolve(METADATA_FILE));
    }
  }
}
