package io.fusespill.journal;

import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.event.EngineEvent;

/// Encodes events for a journal and their digest. An event that cannot be encoded or kept leaves no
/// trace in either.
final class RecordWriter implements EventConsumer {

  private final EventEncoder encoder = new EventEncoder();
  private final EventDigest digest = new EventDigest();
  private final Journal journal;

  RecordWriter(Journal journal) {
    this.journal = journal;
  }

  @Override
  public void accept(long position, EngineEvent event) {
    int length = encoder.encode(position, event);
    journal.append(encoder.bytes(), length);
    digest.add(encoder.bytes(), length);
  }

  void commit() {
    journal.commit();
  }

  EventDigest digest() {
    return digest;
  }
}
