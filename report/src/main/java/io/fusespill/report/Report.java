package io.fusespill.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.explain.Choice;
import io.fusespill.replay.explain.Stories;
import io.fusespill.replay.explain.Story;
import io.fusespill.tables.UnfinishedFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/// One page about some runs, the first of which is the baseline.
///
/// Journals are read twice: for everything, then for the stories of the sequences whose decisions
/// are told. Memory follows the live requests and what the timelines keep, not the journals'
/// length.
public final class Report {

  /// The most runs that a page has room for.
  public static final int RUNS_MAX = 12;

  /// The most decisions that are told with their sequence's story.
  public static final int TOLD_MAX = 200;

  private static final int PROGRESS_MASK = (1 << 14) - 1;

  /// A run to report on.
  ///
  /// @param name what it is called on the page; no two are called the same
  /// @param journal opens its journal, twice
  /// @param summary what its `summary.json` says; an empty object where there is none
  public record Source(String name, Supplier<JournalReader> journal, JsonNode summary) {}

  private Report() {}

  /// Writes the page. What was there before stays until all of it is written.
  ///
  /// @param sources 1 to [#RUNS_MAX]
  /// @param told how many of the decisions with the greatest estimated loss to tell, 0 to
  ///   [#TOLD_MAX]
  /// @param progress hears now and then how many events were read
  /// @throws UncheckedIOException if the file cannot be written, naming it and why
  public static void write(List<Source> sources, int told, Path file, LongConsumer progress) {
    Progress counted = new Progress(progress);
    TimelineData.Budget budget = TimelineData.Budget.PAGE.of(sources.size());
    List<ReportRun> runs = new ArrayList<>();
    for (Source source : sources) {
      try (JournalReader journal = source.journal().get()) {
        ReportRun run = new ReportRun(source.name(), journal.header(), source.summary(), budget);
        while (journal.next()) {
          run.accept(journal.position(), journal.event());
          counted.one();
        }
        run.close();
        runs.add(run);
      }
    }
    String page = new ReportPage(runs, tell(sources, runs, told, counted)).html();
    UnfinishedFile unfinished = new UnfinishedFile(file);
    try {
      try {
        Files.writeString(unfinished.path(), page, StandardCharsets.UTF_8);
        unfinished.finish();
      } finally {
        unfinished.discard();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write %s: %s".formatted(file, e), e);
    }
  }

  private static List<ReportPage.Told> tell(
      List<Source> sources, List<ReportRun> runs, int most, Progress progress) {
    record Candidate(int run, Choice choice) {}
    List<Candidate> dearest = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      int run = i;
      runs.get(i).timeline().dearest(most).forEach(each -> dearest.add(new Candidate(run, each)));
    }
    dearest.sort(
        Comparator.comparingLong((Candidate each) -> -each.choice().chosen().choice().lostNanos())
            .thenComparingInt(Candidate::run)
            .thenComparingLong(each -> each.choice().position()));
    List<Candidate> kept = dearest.subList(0, Math.min(most, dearest.size()));
    List<Map<Integer, Story>> stories = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      Set<Integer> wanted = new LinkedHashSet<>();
      for (Candidate each : kept) {
        if (each.run() == i) {
          wanted.add(each.choice().chosen().sequence());
        }
      }
      stories.add(wanted.isEmpty() ? Map.of() : stories(sources.get(i), wanted, progress));
    }
    List<ReportPage.Told> told = new ArrayList<>();
    for (Candidate each : kept) {
      Story story = stories.get(each.run()).get(each.choice().chosen().sequence());
      if (story != null) {
        told.add(new ReportPage.Told(each.run(), each.choice(), story));
      }
    }
    return told;
  }

  private static Map<Integer, Story> stories(
      Source source, Set<Integer> sequences, Progress progress) {
    Stories stories = Stories.ofSequences(sequences);
    try (JournalReader journal = source.journal().get()) {
      while (journal.next()) {
        EngineEvent event = journal.event();
        stories.accept(journal.position(), event);
        progress.one();
      }
    }
    stories.close();
    Map<Integer, Story> bySequence = new HashMap<>();
    stories.stories().forEach(story -> bySequence.put(story.sequence(), story));
    return bySequence;
  }

  private static final class Progress {
    private final LongConsumer listener;
    private long events;

    Progress(LongConsumer listener) {
      this.listener = listener;
    }

    void one() {
      if ((++events & PROGRESS_MASK) == 0) {
        listener.accept(events);
      }
    }
  }
}
