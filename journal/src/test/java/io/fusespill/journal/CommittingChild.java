package io.fusespill.journal;

import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.LockSupport;

/// Writes events into a journal until it is killed, and keeps the number of committed ones in a
/// file beside.
///
/// Arguments: journal, file for the count, durability, events (0: until killed).
final class CommittingChild {

  private CommittingChild() {}

  public static void main(String[] arguments) throws Exception {
    MappedByteBuffer committed = map(Path.of(arguments[1]));
    Journal journal =
        Journal.create(
            Path.of(arguments[0]), JournalFixture.HEADER, Durability.valueOf(arguments[2]));
    long count = Long.parseLong(arguments[3]);
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .journal(journal)
            .dispatch((position, event) -> committed.putLong(0, position + 1))
            .start();
    try (pipeline) {
      for (long i = 0; count == 0 || i < count; i++) {
        pipeline.append(Events.event(i));
        if (i % 64 == 0) {
          LockSupport.parkNanos(1);
        }
      }
    }
  }

  /// The count of a child, in native order: it outlives the child in the page cache.
  static MappedByteBuffer map(Path file) throws Exception {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return channel.map(MapMode.READ_WRITE, 0, Long.BYTES);
    }
  }
}
