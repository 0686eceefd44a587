package io.fusespill.journal;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.rollcycles.LargeRollCycles;
import net.openhft.chronicle.wire.Wire;
import org.jspecify.annotations.Nullable;

/// A journal in a Chronicle Queue: one directory, one queue file, the header's excerpt and then one excerpt a record.
///
/// The queue's clock stands still, so it never rolls: one journal is one file, and the same events give the same file.
/// It is mapped in large blocks while it grows and cut to its content at the end.
final class ChronicleJournal implements Journal {

  /// What Chronicle calls the file of its first day.
  static final String FILE_NAME = "19700101L.cq4";

  private static final String METADATA_NAME = "metadata.cq4t";

  private static final int BLOCK_BYTES = 16 << 20;

  /// The longest record: Chronicle takes no excerpt beyond a quarter of a block.
  static final int RECORD_BYTES_MAX = BLOCK_BYTES / 4;

  /// An index is for seeking, which nobody does here: as small as lets the file hold what its roll cycle can count,
  /// 1024 × 1024 × 131,072 = 137 billion excerpts.
  private static final int INDEX_COUNT = 1024;

  private static final int INDEX_SPACING = 131_072;

  /// What Chronicle itself may write after an excerpt: two index arrays and their headers.
  private static final int INDEX_BYTES_MAX = 2 * (INDEX_COUNT * Long.BYTES + 64);

  /// What lies before the first index array.
  private static final int STORE_HEADER_BYTES_MAX = 1024;

  /// The length before an excerpt, the padding after it and the zero that ends the file.
  private static final int FRAME_BYTES_MAX = 16;

  /// Opens what a journal needs of the file system.
  @FunctionalInterface
  interface StorageFactory {
    JournalStorage open(Path directory, String fileName) throws IOException;
  }

  static {
    System.setProperty("chronicle.announcer.disable", "true");
    System.setProperty("chronicle.disk.monitor.disable", "true");
  }

  private final Path directory;
  private final JournalLock lock;
  private final JournalStorage storage;
  private final SpaceGuard guard;
  private final boolean synced;
  private final Bytes<?> staging = Bytes.allocateElasticOnHeap();
  private @Nullable SingleChronicleQueue queue;
  private @Nullable ExcerptAppender appender;

  static ChronicleJournal create(Path directory, JournalHeader header, boolean synced) {
    return create(directory, header, synced, FileStorage::new);
  }

  static ChronicleJournal create(
      Path directory, JournalHeader header, boolean synced, StorageFactory storages) {
    try {
      requireFresh(directory);
      JournalLock lock = JournalLock.acquire(directory);
      ChronicleJournal journal;
      try {
        journal =
            new ChronicleJournal(directory, lock, storages.open(directory, FILE_NAME), synced);
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
      journal.open(header);
      return journal;
    } catch (IOException e) {
      throw new JournalException("%s: cannot be made a journal: %s".formatted(directory, e), e);
    }
  }

  /// A journal is written once and by one process.
  private static void requireFresh(Path directory) throws IOException {
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      throw new JournalException(
          "%s: cannot be made a journal: it is a file, and a journal is a directory"
              .formatted(directory));
    }
    Files.createDirectories(directory);
    if (JournalLock.isHeld(directory)) {
      throw new JournalException(
          "%s: is being written by %s; choose another directory"
              .formatted(directory, JournalLock.holder(directory)));
    }
    try (Stream<Path> files = Files.list(directory)) {
      List<String> names = files.map(file -> file.getFileName().toString()).sorted().toList();
      if (!names.isEmpty()) {
        throw new JournalException(
            "%s: is not empty but holds %s; a journal is written once, choose a new directory"
                .formatted(directory, String.join(", ", names)));
      }
    }
  }
}
