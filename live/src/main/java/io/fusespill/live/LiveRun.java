package io.fusespill.live;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.exec.ExecutorFactory;
import io.fusespill.host.exec.HostExecutor;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.Journal;
import io.fusespill.journal.live.LiveEngine;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A list of requests served by a live engine from first to last, from the beginning or from where
/// an earlier process was interrupted.
///
/// ```
///  LiveBatch ─► LiveEngine ─► ring ─┬─► journal ─► HostExecutor
///      ▲                            └─► folds          │
///      └──────────── tokens, behind the journal ◄──────┘
/// ```
public final class LiveRun {

  private final HostExecutor.Setup setup;
  private final Map<String, Consumer<EngineEvent>> folds;
  private final AtomicReference<@Nullable HostExecutor> executor = new AtomicReference<>();

  /// @param folds what takes every event, by the name of its thread
  public LiveRun(HostExecutor.Setup setup, Map<String, Consumer<EngineEvent>> folds) {
    this.setup = setup;
    this.folds = folds;
  }

  /// Serves all requests, and returns the engine for its figures.
  ///
  /// @throws LiveException if the model cannot serve one of the requests; none has been sent then
  /// @throws io.fusespill.journal.EngineStoppedException if the engine or an executor fails
  public LiveEngine run(RunStarted started, Journal journal, LiveBatch batch) {
    return run(started, journal, batch, engine -> batch.send(engine, 0, System.nanoTime()));
  }

  /// The same with requests that are sent as `client` likes it.
  ///
  /// @throws LiveException if the model cannot serve one of the requests; none has been sent then
  /// @throws io.fusespill.journal.EngineStoppedException if the engine or an executor fails
  public LiveEngine run(
      RunStarted started, Journal journal, LiveBatch batch, Consumer<LiveEngine> client) {
    batch.ask(executor::get);
    try (Closing _ = this::closeExecutor) {
      LiveEngine engine =
          begin(
              journal,
              batch,
              () -> LiveEngine.start(started, pipeline(journal), executors(started.config())));
      return serve(engine, client);
    }
  }

  /// What a run had come to when it was interrupted.
  ///
  /// @param requests completed
  /// @param tokens of their prompts and outputs
  /// @param nanos since the first arrival
  public record Served(long requests, long tokens, long nanos) {}

  /// What an interrupted run's further way was like.
  ///
  /// @param engine for its figures
  /// @param ended requests that had ended before
  /// @param wentOn requests that had begun, and went on with the tokens that they had
  /// @param sent requests that had not been sent before
  /// @param before what the run had come to
  public record Resumed(LiveEngine engine, int ended, int wentOn, int sent, Served before) {}

  /// Serves what an interrupted run has not served yet. Requests that the journal knows go on with
  /// the tokens that they have; the others are sent as if the time in between had not passed.
  ///
  /// @param batch the list of the interrupted run
  /// @throws LiveException if the model cannot serve one of the requests
  /// @throws io.fusespill.journal.EngineStoppedException if the engine or an executor fails
  public Resumed resume(RunJournal recorded, LiveBatch batch) {
    batch.ask(executor::get);
    Progress progress = new Progress(recorded, batch);
    try (recorded;
        Closing _ = this::closeExecutor) {
      LiveEngine engine =
          begin(
              recorded.journal(),
              batch,
              () ->
                  LiveEngine.resume(
                      recorded.started(),
                      progress.events(),
                      pipeline(recorded.journal()),
                      executors(recorded.started().config()),
                      progress::listener));
      progress.awaitRead(engine);
      LiveEngine ended =
          serve(
              engine,
              serving ->
                  batch.send(
                      serving, progress.arrived(), System.nanoTime() - progress.lastNanos()));
      recorded.finish();
      return new Resumed(
          ended,
          progress.ended(),
          progress.arrived() - progress.ended(),
          batch.size() - progress.arrived(),
          progress.served());
    }
  }

  /// Starts an engine. The journal is its own from then on, and closed here if nothing comes of it.
  private LiveEngine begin(Journal journal, LiveBatch batch, Supplier<LiveEngine> starting) {
    try {
      batch.check(setup.weights().config().vocabulary(), setup.tokenizer() != null);
      return starting.get();
    } catch (RuntimeException | Error e) {
      journal.close();
      throw e;
    }
  }

  /// The end of something, be it that something before has failed.
  private interface Closing extends AutoCloseable {
    @Override
    void close();
  }

  private static LiveEngine serve(LiveEngine engine, Consumer<LiveEngine> client) {
    try (engine) {
      client.accept(engine);
      engine.stop();
      return engine;
    }
  }

  private EnginePipeline.Builder pipeline(Journal journal) {
    EnginePipeline.Builder pipeline = EnginePipeline.builder().journal(journal);
    folds.forEach((name, fold) -> pipeline.beside(name, (position, event) -> fold.accept(event)));
    return pipeline;
  }

  private ExecutorFactory executors(EngineConfig config) {
    return (completions, behind) -> {
      HostExecutor made = new HostExecutor(setup, config, completions, behind);
      executor.set(made);
      return made;
    };
  }

  private void closeExecutor() {
    HostExecutor made = executor.getAndSet(null);
    if (made != null) {
      made.close();
    }
  }
}
