package io.fusespill.journal;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/// A journal's files on a real file system.
final class FileStorage implements JournalStorage {

  /// What Chronicle calls the file of its first day.
  static final String QUEUE_FILE = "19700101L.cq4";

  private static final String METADATA_FILE = "metadata.cq4t";

  private final Path directory;
  private final FileChannel queueFile;

  /// Opens the queue file, which must exist: Chronicle waits ten seconds for the maker of one that
  /// it finds unfinished.
  FileStorage(Path directory) throws IOException {
    this.directory = directory;
    this.queueFile =
        FileChannel.open(
            directory.resolve(QUEUE_FILE), StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /// Deletes the files of a journal that did not come into being.
  static void delete(Path directory) throws IOException {
    Files.deleteIfExists(directory.resolve(QUEUE_FILE));
    Files.deleteIfExists(directory.resolve(METADATA_FILE));
  }

  @Override
  public void read(ByteBuffer bytes, long offset) throws IOException {
    long at = offset;
    while (bytes.hasRemaining()) {
      int read = queueFile.read(bytes, at);
      if (read < 0) {
        throw new EOFException("%s ends at %d".formatted(QUEUE_FILE, at));
      }
      at += read;
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
  public void truncate(long bytes) throws IOException {
    queueFile.truncate(bytes);
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
  public String usableBytes() {
    return usableBytes(directory);
  }

  /// How many bytes may still be written where `directory` is or would be, in words.
  static String usableBytes(Path directory) {
    Path there = directory.toAbsolutePath();
    for (Path up = there; Files.notExists(there) && up != null; up = up.getParent()) {
      there = up;
    }
    try {
      return String.valueOf(Files.getFileStore(there).getUsableSpace());
    } catch (IOException e) {
      return "an unknown number of";
    }
  }

  @Override
  public void close() throws IOException {
    queueFile.close();
  }
}
