package io.fusespill.cli;

import io.fusespill.engine.EventLog;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.journal.DirectLog;
import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Where a run's events go: through the ring into a journal, or, where none is wanted, straight
/// into digest and report. Both give the same bytes.
sealed interface RunLog extends EventLog, AutoCloseable {

  /// @param directory of the new journal; null for none
  /// @param folds what takes every event, by the name of its thread
  static RunLog open(
      Durability durability,
      @Nullable Path directory,
      JournalHeader header,
      Map<String, Consumer<EngineEvent>> folds) {
    if (directory == null) {
      return new Direct(
          new DirectLog(
              Journal.none(),
              (position, event) -> folds.values().forEach(fold -> fold.accept(event))));
    }
    EnginePipeline.Builder pipeline =
        EnginePipeline.builder().journal(Journal.create(directory, header, durability));
    folds.forEach((name, fold) -> pipeline.beside(name, (position, event) -> fold.accept(event)));
    return new Ring(pipeline.start());
  }

  /// Events taken. Known once closed, like the digest.
  long events();

  /// SHA-256 over the canonical bytes of all events.
  String digest();

  @Override
  void close();

  /// On the engine's own thread.
  record Direct(DirectLog log) implements RunLog {

    @Override
    public long append(EngineEvent event) {
      return log.append(event);
    }

    @Override
    public long events() {
      return log.events();
    }

    @Override
    public String digest() {
      return log.digest();
    }

    @Override
    public void close() {
      log.close();
    }
  }

  /// Through the ring.
  record Ring(EnginePipeline pipeline) implements RunLog {

    @Override
    public long append(EngineEvent event) {
      return pipeline.append(event);
    }

    @Override
    public long events() {
      return pipeline.events();
    }

    @Override
    public String digest() {
      return pipeline.digest();
    }

    @Override
    public void close() {
      pipeline.close();
    }
  }
}
