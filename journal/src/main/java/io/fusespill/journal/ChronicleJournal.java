package io.fusespill.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.rollcycles.LargeRollCycles;

/// A journal in a Chronicle Queue: one directory, one queue file, the header's excerpt and then one excerpt a record.
///
/// The queue's clock stands still, so it never rolls: one journal is one file, and the same events give the same file.
/// It is mapped in large blocks while it grows and cut to its content at the end.
final class ChronicleJournal implements Journal {

  private static final int BLOCK_BYTES = 16 << 20;

  /// The longest record: Chronicle takes no excerpt beyond a quarter of a block.
  static final int RECORD_BYTES_MAX = BLOCK_BYTES / 4;

  /// Indices are for seeking, which nobody does here: the smallest that reach as far as the roll cycle can count, which
  /// is 1024 × 1024 × 131,072 = 137 billion excerpts.
  private static final int INDEX_COUNT = 1024;

  private static final int INDEX_SPACING = 131_072;

  /// What Chronicle may write on its own account after an excerpt: two index arrays with their names.
  private static final int INDEX_BYTES_MAX = 2 * (INDEX_COUNT * Long.BYTES + 64);

  /// What it writes before the first index array.
  private static final int STORE_HEADER_BYTES_MAX = 1024;

  /// The length before an excerpt, the padding after it and the zero that ends the file.
  private static final int FRAME_BYTES_MAX = 16;

  /// Makes a directory ready for a new journal.
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
  private final JournalStorage storage;
  private final SpaceGuard guard;
  private final SingleChronicleQueue queue;
  private final ExcerptAppender appender;

  /// The mapped file; the last excerpt ends at its write position.
  private final Bytes<?> written;

  private final Bytes<?> staging = Bytes.allocateElasticOnHeap();
  private boolean closed;

  /// @param synced whether a commit waits for the storage
  static ChronicleJournal create(Path directory, JournalHeader header, boolean synced) {
    return create(directory, header, synced, FileStorage::open);
  }

  static ChronicleJournal create(
      Path directory, JournalHeader header, boolean synced, StorageFactory storages) {
    try {
      JournalStorage storage = storages.open(directory);
      try {
        return new ChronicleJournal(directory, header, synced, storage);
      } catch (IOException | RuntimeException | InternalError e) {
        storage.discard();
        throw e;
      }
    } catch (JournalException e) {
      throw e;
    } catch (IOException | RuntimeException | InternalError e) {
      throw new JournalException("%s: cannot become a journal: %s".formatted(directory, e), e);
    }
  }

  private ChronicleJournal(
      Path directory, JournalHeader header, boolean synced, JournalStorage storage)
      throws IOException {
    this.directory = directory;
    this.synced = synced;
    this.storage = storage;
    this.guard = new SpaceGuard(directory, storage);
    byte[] first = header.encode();
    reserve(STORE_HEADER_BYTES_MAX + INDEX_BYTES_MAX, first.length);
    queue = openQueue(directory);
    try {
      appender = queue.createAppender();
      appender.singleThreadedCheckDisabled(true);
      write(first, first.length);
      written = Objects.requireNonNull(appender.wire()).bytes();
      if (synced) {
        storage.force();
        storage.forceNames();
      }
    } catch (IOException | RuntimeException | InternalError e) {
      queue.close();
      throw e;
    }
  }

  /// The queue is made by one thread, written by another and may be closed by a third; its owner sees to it that they
  /// come one after the other.
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

  @Override
  public void append(byte[] record, int length) {
    reserve(written.writePosition(), length);
    write(record, length);
  }

  private void reserve(long writtenBytes, int length) {
    if (length > RECORD_BYTES_MAX) {
      throw new JournalException(
          "%s: a record has %d bytes, a journal takes at most %d: limit the blocks and sequences of one step or transfer"
              .formatted(directory, length, RECORD_BYTES_MAX));
    }
    guard.reserve(writtenBytes + length + FRAME_BYTES_MAX + INDEX_BYTES_MAX);
  }

  /// Chronicle commits a half-written excerpt when the writing of it fails, so the record is whole before it begins.
  private void write(byte[] record, int length) {
    staging.clear();
    staging.write(record, 0, length);
    appender.writeBytes(staging);
  }

  /// Chronicle's own `sync` does nothing without its native library, and says that it has.
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
    try {
      queue.close();
      commit();
    } finally {
      closeStorage(contentBytes);
    }
  }

  private void closeStorage(long contentBytes) {
    try {
      storage.close(contentBytes);
    } catch (IOException e) {
      throw new JournalException(
          "%s: the journal could not be closed: %s".formatted(directory, e.getMessage()), e);
    }
  }
}
