package io.fusespill.live;

import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.journal.Durability;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalException;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.JournalReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.Stream;

/// A run's journal that is gone on with.
///
/// A journal is written once, from its first event on. So the old one is put aside, its events are
/// written again into a new one of the old name, and the run's further events behind them. Whatever
/// happens meanwhile, one of the two is whole: the old one goes when the new one is known to hold
/// all of it.
///
/// ```
///  journal        the old one  ──►  journal.before   kept until journal is whole
///                                   journal          its events again, then new ones
/// ```
public final class RunJournal implements AutoCloseable {

  private static final String BEFORE = ".before";

  private final Path before;
  private final JournalReader reader;
  private final RunStarted started;
  private final Journal journal;
  private boolean taken;

  private RunJournal(Path before, JournalReader reader, RunStarted started, Journal journal) {
    this.before = before;
    this.reader = reader;
    this.started = started;
    this.journal = journal;
  }

  /// Opens the journal of a run that nobody is writing, to go on with it.
  ///
  /// @param path where the journal is, and will be
  /// @throws LiveException if there is none, or one that holds no event
  /// @throws JournalException if it cannot be read or a new one cannot be made
  public static RunJournal open(Path path, Durability durability) {
    Path before = before(path);
    settle(path, before);
    if (!Files.isDirectory(path)) {
      throw new LiveException(
          "%s is not there: name the folder of a run that kept a journal".formatted(path));
    }
    if (JournalReader.isBeingWritten(path)) {
      throw new LiveException("%s is being written: the run is still going on".formatted(path));
    }
    JournalHeader header = checked(path);
    move(path, before);
    JournalReader reader = JournalReader.open(before);
    try {
      reader.next();
      return new RunJournal(
          before, reader, (RunStarted) reader.event(), Journal.create(path, header, durability));
    } catch (RuntimeException e) {
      reader.close();
      throw e;
    }
  }

  private static JournalHeader checked(Path path) {
    if (events(path) == 0) {
      throw new LiveException(
          "%s holds no event: the run ended before it began, start it again".formatted(path));
    }
    try (JournalReader reader = JournalReader.open(path)) {
      return reader.header();
    }
  }

  /// Where an earlier attempt was interrupted, keeps the journal that holds more.
  private static void settle(Path path, Path before) {
    if (!Files.isDirectory(before)) {
      return;
    }
    if (Files.isDirectory(path)) {
      if (JournalReader.isBeingWritten(path)) {
        throw new LiveException("%s is being written: the run is still going on".formatted(path));
      }
      if (events(path) >= events(before)) {
        delete(before);
        return;
      }
      delete(path);
    }
    move(before, path);
  }

  /// Whether there is a journal at `path`, or one put aside, that holds an event: a run that can be
  /// gone on with. One that was ended before it began has none.
  public static boolean holdsEvents(Path path) {
    return events(path) > 0 || events(before(path)) > 0;
  }

  /// Where the events of a run are whose journal is at `path`: there, or in the one put aside where
  /// going on was interrupted before the new one held as much.
  public static Path whole(Path path) {
    Path before = before(path);
    boolean half =
        Files.isDirectory(before)
            && !JournalReader.isBeingWritten(path)
            && events(path) < events(before);
    return half ? before : path;
  }

  private static Path before(Path path) {
    return path.resolveSibling(path.getFileName() + BEFORE);
  }

  /// Events that can be read, 0 where not even the header can.
  private static long events(Path path) {
    if (!Files.isDirectory(path)) {
      return 0;
    }
    long events = 0;
    try (JournalReader reader = JournalReader.open(path)) {
      while (reader.next()) {
        events++;
      }
    } catch (JournalException e) {
      return events;
    }
    return events;
  }

  /// The first event.
  public RunStarted started() {
    return started;
  }

  public JournalHeader header() {
    return reader.header();
  }

  /// The events after the first, once.
  Iterator<EngineEvent> events() {
    return new Iterator<>() {
      private boolean known;
      private boolean there;

      @Override
      public boolean hasNext() {
        if (!known) {
          there = reader.next();
          known = true;
        }
        return there;
      }

      @Override
      public EngineEvent next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        known = false;
        return reader.event();
      }
    };
  }

  /// Where the events go, the old ones first. Who takes it closes it.
  Journal journal() {
    taken = true;
    return journal;
  }

  /// Drops the old journal. For when the new one is closed and whole.
  void finish() {
    reader.close();
    delete(before);
  }

  /// Leaves the old journal where it is, and closes the new one where nobody has taken it.
  @Override
  public void close() {
    reader.close();
    if (!taken) {
      journal.close();
    }
  }

  private static void move(Path from, Path to) {
    try {
      Files.move(from, to);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot move %s to %s: %s".formatted(from, to, e), e);
    }
  }

  private static void delete(Path folder) {
    try {
      List<Path> deepestFirst;
      try (Stream<Path> all = Files.walk(folder)) {
        deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path file : deepestFirst) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete %s: %s".formatted(folder, e), e);
    }
  }
}
