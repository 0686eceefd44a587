package io.fusespill.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.rollcycles.LargeRollCycles;

/// A journal in a Chronicle Queue: one directory, one queue file, the header's excerpt and then one
/// excerpt a record.
///
/// The queue's clock stands still, so it never rolls: one journal is one file, and the same events
/// give the same file. It is mapped in large blocks while it grows and cut to its content at the
/// end.
final class ChronicleJournal implements Journal {

  /// Chronicle takes no excerpt beyond a quarter of a block.
  static final int BLOCK_BYTES = 16 << 20;

  /// Indices are for seeking, which nobody does here: the smallest that reach as far as the roll
  /// cycle can count, which is 1024 × 1024 × 131,072 = 137 billion excerpts.
  private static final int INDEX_COUNT = 1024;

  private static final int INDEX_SPACING = 131_072;

  /// What Chronicle may write on its own account after an excerpt: two index arrays with their
  /// names.
  private static final int INDEX_BYTES_MAX = 2 * (INDEX_COUNT * Long.BYTES + 64);

  /// The length before an excerpt, the padding after it and the zero that ends the file.
  private static final int FRAME_BYTES_MAX = 16;

  /// Opens the storage of a journal whose queue file exists.
  @FunctionalInterface
  interface StorageFactory {
    JournalStorage open(Path directory) throws IOException;
  }

  static {
    System.setProperty("chronicle.announcer.disable", "true");
    System.setProperty("chronicle.disk.monitor.disable", "true");
  }

  private final Path directory;
  private final boolean synced;
  private final JournalLock lock;
  private final SingleChronicleQueue queue;
  private final ExcerptAppender appender;

  /// Outside the heap, from where Chronicle copies faster.
  private final Bytes<?> staging = Bytes.allocateElasticDirect();

  /// The mapped file; the last excerpt ends at its write position.
  private final Bytes<?> written;

  private final JournalStorage storage;
  private final SpaceGuard guard;
  private boolean closed;

  /// @param synced whether a commit waits for the storage
  static ChronicleJournal create(Path directory, JournalHeader header, boolean synced) {
    return create(directory, header, synced, FileStorage::new);
  }

  static ChronicleJournal create(
      Path directory, JournalHeader header, boolean synced, StorageFactory storages) {
    try {
      JournalLock lock = JournalLock.acquire(directory);
      try {
        return new ChronicleJournal(directory, header, synced, lock, storages);
      } catch (IOException | RuntimeException | InternalError e) {
        FileStorage.delete(directory);
        lock.close();
        throw e;
      }
    } catch (JournalException e) {
      throw e;
    } catch (IOException | RuntimeException | InternalError e) {
      throw new JournalException(
          "%s: cannot become a journal: %s (%s bytes are free there, and %d are needed)"
              .formatted(directory, e, FileStorage.usableBytes(directory), SpaceGuard.STEP_BYTES),
          e);
    }
  }

  private ChronicleJournal(
      Path directory,
      JournalHeader header,
      boolean synced,
      JournalLock lock,
      StorageFactory storages)
      throws IOException {
    this.directory = directory;
    this.synced = synced;
    this.lock = lock;
    staging.singleThreadedCheckDisabled(true);
    queue = openQueue(directory);
    try {
      appender = queue.createAppender();
      appender.singleThreadedCheckDisabled(true);
      byte[] first = header.encode();
      requireLegal(first.length);
      write(first, first.length);
      written = Objects.requireNonNull(appender.wire()).bytes();
      storage = storages.open(directory);
      guard = new SpaceGuard(directory, storage);
      secure();
    } catch (IOException | RuntimeException | InternalError e) {
      closeChronicle();
      throw e;
    }
  }

  private void closeChronicle() {
    queue.close();
    staging.releaseLast();
  }

  /// The queue is made by one thread, written by another and may be closed by a third; its owner
  /// sees to it that they come one after the other.
  private static SingleChronicleQueue openQueue(Path directory) {
    SingleChronicleQueue queue =
        SingleChronicleQueueBuilder.binary(directory)
            .rollCycle(LargeRollCycles.LARGE_DAILY)
            .timeProvider(() -> 0)
            .blockSize(BLOCK_BYTES)
            .indexCount(INDEX_COUNT)
            .indexSpacing(INDEX_SPACING)
            .build();
    queue.singleThreadedCheckDisabled(true);
    return queue;
  }

  /// Gives the file's beginning its space, and where syncing is asked for its place on storage and
  /// its name.
  private void secure() throws IOException {
    try {
      guard.adopt((int) written.writePosition());
      if (synced) {
        storage.force();
        storage.forceNames();
      }
    } catch (IOException | RuntimeException e) {
      storage.close();
      throw e;
    }
  }

  @Override
  public void append(byte[] record, int length) {
    requireLegal(length);
    guard.reserve(written.writePosition() + length + FRAME_BYTES_MAX + INDEX_BYTES_MAX);
    write(record, length);
  }

  private void requireLegal(int length) {
    if (length > RECORD_BYTES_MAX) {
      throw new JournalException(
          "%s: a record has %d bytes, a journal takes at most %d: lower the limits of one step or transfer"
              .formatted(directory, length, RECORD_BYTES_MAX));
    }
  }

  /// Chronicle commits a half-written excerpt when the writing of it fails, so the record is whole
  /// before it begins.
  private void write(byte[] record, int length) {
    staging.clear();
    staging.write(record, 0, length);
    appender.writeBytes(staging);
  }

  /// Chronicle's own `sync` does nothing where its native library is missing, and says that it has.
  @Override
  public void commit() {
    if (synced) {
      try {
        storage.force();
      } catch (IOException e) {
        throw new JournalException(
            "%s: the storage did not take the journal: %s".formatted(directory, e.getMessage()), e);
      }
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    long contentBytes = written.writePosition() + FRAME_BYTES_MAX + INDEX_BYTES_MAX;
    try (lock;
        storage) {
      closeChronicle();
      storage.truncate(contentBytes);
      commit();
    } catch (IOException e) {
      throw new JournalException(
          "%s: the journal could not be closed: %s".formatted(directory, e.getMessage()), e);
    }
  }
}
