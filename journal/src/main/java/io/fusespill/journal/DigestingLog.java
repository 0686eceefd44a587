package io.fusespill.journal;

import io.fusespill.engine.EventLog;

/// A log that journals its events and can say, once closed, which they were.
public sealed interface DigestingLog extends EventLog, AutoCloseable
    permits DirectLog, EnginePipeline {

  /// Number of events taken. Known once the log is closed, like all that follows.
  long events();

  /// Size of their records in bytes, without what a journal adds.
  long bytes();

  /// SHA-256 of their records in order, in lower-case hex.
  String digest();

  /// Takes no more events, and returns once all there were have been dealt with.
  @Override
  void close();
}
