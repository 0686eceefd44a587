package io.fusespill.journal;

import io.fusespill.engine.event.EngineEvent;
import java.util.List;

/// The engine's log without a ring: everything happens in [#append], on the caller's thread.
///
/// It leaves the same bytes, digest and journal as [EnginePipeline]. With [Durability#SYNC] every
/// single event waits for the storage.
public final class DirectLog implements DigestingLog {

  private final Journal journal;
  private final RecordWriter writer;
  private final List<EventConsumer> consumers;
  private long next;

  /// @param journal belongs to the log from now on
  /// @param consumers see each event in this order, once the journal has it
  public DirectLog(Journal journal, EventConsumer... consumers) {
    this.journal = journal;
    this.writer = new RecordWriter(journal);
    this.consumers = List.of(consumers);
  }

  @Override
  public long append(EngineEvent event) {
    long position = next;
    writer.accept(position, event);
    writer.commit();
    next++;
    for (EventConsumer consumer : consumers) {
      consumer.accept(position, event);
    }
    return position;
  }

  @Override
  public long events() {
    return writer.digest().events();
  }

  @Override
  public long bytes() {
    return writer.digest().bytes();
  }

  @Override
  public String digest() {
    return writer.digest().hex();
  }

  @Override
  public void close() {
    journal.close();
  }
}
