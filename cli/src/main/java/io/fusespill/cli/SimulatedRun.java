package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.EngineVersion;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.live.LiveEngine;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.whatif.LengthsCsv;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceRequest;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One simulation, wired from its workload to its report:
///
/// ```
///  trace ─► Simulation ─► Engine ─► RunLog ─┬─► ring ─► journal handler (encode, digest, append)
///              ▲                            │     ├───► metrics handler ─► report, requests.csv
///              │                            │     └───► prediction handler ─► report
///              └── SimulatedExecutor ◄──────┘
/// ```
///
/// The simulated executor answers on the engine's own thread: nothing real happens that the journal
/// would have to precede. In real time [RealTimeRun] takes the place of the left half, and the
/// executor hears of a decision from the ring, behind the journal.
final class SimulatedRun {

  private final ResolvedScenario scenario;
  private final Durability durability;
  private final @Nullable RunDirectory directory;
  private final boolean realTime;
  private boolean predicting = true;

  /// @param directory where to leave journal, configuration and requests; null for nowhere, and
  ///   then no journal
  /// @param realTime whether the wall clock paces the run
  SimulatedRun(
      ResolvedScenario scenario,
      Durability durability,
      @Nullable RunDirectory directory,
      boolean realTime) {
    this.scenario = scenario;
    this.durability = durability;
    this.directory = directory;
    this.realTime = realTime;
  }

  /// Runs a trace and returns all figures by their names in `--json`.
  RunReport run(TraceReader trace, ProgressLine progress, ObjectNode figures) {
    RunReport report =
        run(
            figures,
            (header, folds, lengths) -> {
              Iterator<TraceRequest> requests = noting(trace, lengths);
              if (realTime) {
                runInRealTime(requests, header, folds, progress, figures);
              } else {
                simulate(
                    log ->
                        new Simulation(scenario.setup(), requests, log, progress(progress)).run(),
                    RunLog.open(durability, journal(), header, folds),
                    figures);
              }
            });
    figures.put("skipped_rows", trace.skipped());
    writeSummary(figures);
    return report;
  }

  /// Runs requests that are given one by one, in virtual time.
  RunReport run(List<Arrival> arrivals, ProgressLine progress, ObjectNode figures) {
    RunReport report =
        run(
            figures,
            (header, folds, lengths) -> {
              note(arrivals, lengths);
              simulate(
                  log ->
                      Simulation.ofArrivals(
                              scenario.setup(), arrivals.iterator(), log, progress(progress))
                          .run(),
                  RunLog.open(durability, journal(), header, folds),
                  figures);
            });
    writeSummary(figures);
    return report;
  }

  /// Runs what `body` makes of a simulation of this scenario whose requests are `arrivals`: a
  /// branch off a run of it. No predictor is measured, because it may change on the way.
  ///
  /// @param described the configuration that the branch ends under
  RunReport branch(
      List<Arrival> arrivals,
      Consumer<Simulation> body,
      ObjectNode described,
      ProgressLine progress,
      ObjectNode figures) {
    predicting = false;
    RunReport report =
        run(
            figures,
            (header, folds, lengths) -> {
              note(arrivals, lengths);
              simulate(
                  log ->
                      body.accept(
                          Simulation.ofArrivals(
                              scenario.setup(), arrivals.iterator(), log, progress(progress))),
                  RunLog.open(durability, journal(), header, folds),
                  figures);
            });
    if (directory != null) {
      directory.writeConfig(described);
    }
    writeSummary(figures);
    return report;
  }

  private static void note(List<Arrival> arrivals, @Nullable LengthsCsv lengths) {
    if (lengths != null) {
      arrivals.forEach(each -> lengths.add(each.outputTokens(), each.declaredOutputTokens()));
    }
  }

  /// What makes the run's events, on this thread.
  @FunctionalInterface
  private interface Body {
    void run(
        JournalHeader header,
        Map<String, Consumer<EngineEvent>> folds,
        @Nullable LengthsCsv lengths);
  }

  private RunReport run(ObjectNode figures, Body body) {
    try {
      return started(figures, body);
    } catch (RuntimeException e) {
      if (directory != null) {
        directory.giveUp(e, true);
      }
      throw e;
    }
  }

  private RunReport started(ObjectNode figures, Body body) {
    long startNanos = System.nanoTime();
    JournalHeader header = JournalHeader.of(EngineVersion.VERSION, scenario.canonicalText());
    if (directory != null) {
      directory.writeConfig(scenario.description());
    }
    RunReport report;
    try (RunFolds folds = new RunFolds(directory, predicting ? scenario.config() : null);
        LengthsCsv lengths = directory == null ? null : new LengthsCsv(directory.lengths())) {
      body.run(header, folds.byName(), lengths);
      report = folds.report();
      folds.putFigures(figures);
    }
    figures.put("extrapolated_steps", scenario.world().extrapolations());
    figures.put("config_digest", scenario.digest());
    figures.put("wall_seconds", (System.nanoTime() - startNanos) / 1e9);
    return report;
  }

  private void writeSummary(ObjectNode figures) {
    if (directory != null) {
      directory.writeSummary(figures);
    }
  }

  /// The requests as they are, with their true lengths written down on the way.
  private static Iterator<TraceRequest> noting(
      Iterator<TraceRequest> requests, @Nullable LengthsCsv lengths) {
    if (lengths == null) {
      return requests;
    }
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return requests.hasNext();
      }

      @Override
      public TraceRequest next() {
        TraceRequest request = requests.next();
        lengths.add(request.outputTokens(), request.declaredOutputTokens());
        return request;
      }
    };
  }

  private static Simulation.Progress progress(ProgressLine progress) {
    return (arrived, live, now) -> progress.at(arrived - live);
  }

  private static void simulate(Consumer<RunLog> simulation, RunLog log, ObjectNode figures) {
    try (log) {
      simulation.accept(log);
    }
    figures.put("journal_events", log.events());
    figures.put("journal_digest", log.digest());
  }

  private void runInRealTime(
      Iterator<TraceRequest> trace,
      JournalHeader header,
      Map<String, Consumer<EngineEvent>> folds,
      ProgressLine progress,
      ObjectNode figures) {
    Path journal = journal();
    EnginePipeline.Builder pipeline =
        EnginePipeline.builder()
            .journal(
                journal == null ? Journal.none() : Journal.create(journal, header, durability));
    folds.forEach((name, fold) -> pipeline.beside(name, (position, event) -> fold.accept(event)));
    LiveEngine engine = new RealTimeRun(scenario).run(trace, pipeline, progress);
    figures.put("journal_events", engine.events());
    figures.put("journal_digest", engine.digest());
  }

  private @Nullable Path journal() {
    return directory == null ? null : directory.journal();
  }
}
