package io.fusespill.journal;

import java.nio.file.Path;

/// Keeps the records of one log, in order. Used by one thread at a time.
public interface Journal extends AutoCloseable {

  /// The longest record in bytes.
  int RECORD_BYTES_MAX = ChronicleJournal.BLOCK_BYTES / 4;

  /// A new journal in `directory`, which is created where it is missing; with [Durability#NONE]
  /// nothing is.
  ///
  /// @throws JournalException if the directory already holds anything, is being written, or has no
  ///   room
  static Journal create(Path directory, JournalHeader header, Durability durability) {
    return switch (durability) {
      case NONE -> none();
      case ASYNC -> ChronicleJournal.create(directory, header, false);
      case SYNC -> ChronicleJournal.create(directory, header, true);
    };
  }

  /// A journal that keeps nothing.
  static Journal none() {
    return NoJournal.INSTANCE;
  }

  /// Takes the first `length` bytes of `record`, copied: all of them or, where this throws, none.
  ///
  /// @throws JournalException if there is no room for the record
  void append(byte[] record, int length);

  /// Keeps its promise for every record appended so far; nothing may act on them before.
  void commit();

  @Override
  void close();
}
