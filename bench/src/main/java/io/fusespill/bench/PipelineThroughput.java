package io.fusespill.bench;

import io.fusespill.engine.event.EngineEvent;
import io.fusespill.journal.DigestingLog;
import io.fusespill.journal.DirectLog;
import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.EventConsumer;
import io.fusespill.journal.EventDigest;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalReader;
import io.fusespill.journal.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BiFunction;

/// How many events a second the way out of the engine takes, sustained: from the first append until
/// every handler has had the last event and the journal is closed.
///
/// An event is a planned step with a record of 100 to 200 bytes; each is encoded and digested. The
/// ring has a dispatch handler and one beside; `direct` calls the same two on the engine's thread.
/// A journal of each mode is read back and compared before anything is timed; three rounds warm up.
/// `sync` rounds have a tenth of the events.
///
/// Beside the rate stands the processor time of all threads an event, which a busy machine changes
/// less. Not included: deciding, and the page cache's way to the disk, which goes on meanwhile.
///
/// Run: `./mvnw -q -DskipTests package && java @config/jvm.flags -cp 'bench/target/lib/*'
/// io.fusespill.bench.PipelineThroughput [events] [rounds]`
public final class PipelineThroughput {

  private enum Mode {
    DIRECT_WITHOUT_JOURNAL(Durability.NONE, DirectLog::new),
    DIRECT(Durability.ASYNC, DirectLog::new),
    RING_WITHOUT_JOURNAL(Durability.NONE, ring(Waiting.BLOCKING)),
    RING_BLOCKING(Durability.ASYNC, ring(Waiting.BLOCKING)),
    RING_YIELDING(Durability.ASYNC, ring(Waiting.YIELDING)),
    RING_SYNC(Durability.SYNC, ring(Waiting.BLOCKING));

    private final Durability durability;
    private final BiFunction<Journal, EventConsumer[], DigestingLog> log;

    Mode(Durability durability, BiFunction<Journal, EventConsumer[], DigestingLog> log) {
      this.durability = durability;
      this.log = log;
    }

    private static BiFunction<Journal, EventConsumer[], DigestingLog> ring(Waiting waiting) {
      return (journal, consumers) ->
          EnginePipeline.builder()
              .journal(journal)
              .waiting(waiting)
              .dispatch(consumers[0])
              .beside("metrics", consumers[1])
              .start();
    }
  }

  private static final int WARM_UP_ROUNDS = 3;
  private static final int CHECKED_EVENTS = 200_000;

  private final PipelineEvents events = new PipelineEvents();
  private final Path journal;

  private PipelineThroughput(Path journal) {
    this.journal = journal;
  }

  public static void main(String[] arguments) throws IOException {
    int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 3_000_000;
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 7;
    Path scratch = Files.createTempDirectory("throughput");
    try {
      PipelineThroughput benchmark = new PipelineThroughput(scratch.resolve("journal"));
      BenchRuns.printMachine();
      benchmark.events.checkSizes();
      for (Mode mode : Mode.values()) {
        benchmark.check(mode);
      }
      for (Mode mode : Mode.values()) {
        benchmark.measure(mode, mode.durability == Durability.SYNC ? count / 10 : count, rounds);
      }
    } finally {
      BenchRuns.delete(scratch);
    }
  }

  /// @param rate millions of events a second
  /// @param cpuNanos processor time an event, of all threads
  private record Round(double rate, double cpuNanos) {}

  private void measure(Mode mode, int count, int rounds) throws IOException {
    double[] rates = new double[rounds];
    double[] cpuNanos = new double[rounds];
    for (int i = -WARM_UP_ROUNDS; i < rounds; i++) {
      Round round = run(mode, count);
      if (i >= 0) {
        rates[i] = round.rate();
        cpuNanos[i] = round.cpuNanos();
      }
    }
    StringBuilder all = new StringBuilder();
    for (double rate : rates) {
      all.append(String.format(Locale.ROOT, " %.2f", rate));
    }
    System.out.printf(
        Locale.ROOT,
        "%-22s median %5.2f M events/s, %4.0f ns of processor an event; rounds%s%n",
        mode.name().toLowerCase(Locale.ROOT),
        BenchRuns.median(rates),
        BenchRuns.median(cpuNanos),
        all);
  }

  private Round run(Mode mode, int count) throws IOException {
    long[] seen = new long[2];
    DigestingLog log = open(mode, seen);
    long cpuStart = BenchRuns.cpuNanos();
    long start = System.nanoTime();
    try (log) {
      append(log, count);
    }
    long nanos = System.nanoTime() - start;
    long cpuNanos = BenchRuns.cpuNanos() - cpuStart;
    if (seen[0] != count || seen[1] != count || log.events() != count) {
      throw new IllegalStateException(
          "%d appended, %d dispatched, %d seen beside, %d journaled"
              .formatted(count, seen[0], seen[1], log.events()));
    }
    if (mode.durability != Durability.NONE) {
      BenchRuns.delete(journal);
    }
    return new Round(count * 1e3 / nanos, (double) cpuNanos / count);
  }

  private DigestingLog open(Mode mode, long[] seen) {
    EventConsumer[] consumers = {
      (position, event) -> seen[0]++, (position, event) -> seen[1]++,
    };
    return mode.log.apply(BenchRuns.journal(journal, mode.durability), consumers);
  }

  private void append(DigestingLog log, int count) {
    for (int i = 0; i < count; i++) {
      log.append(events.event(i, i));
    }
  }

  /// Compares what a mode leaves with the events themselves, and says how large it is and how fast
  /// it reads.
  private void check(Mode mode) throws IOException {
    DigestingLog log = open(mode, new long[2]);
    try (log) {
      append(log, CHECKED_EVENTS);
    }
    if (mode.durability == Durability.NONE) {
      return;
    }
    EventDigest digest = new EventDigest();
    long start = System.nanoTime();
    try (JournalReader reader = JournalReader.open(journal)) {
      while (reader.next()) {
        EngineEvent expected = events.event(reader.position(), reader.position());
        if (!reader.event().equals(expected)) {
          throw new IllegalStateException("another event at position " + reader.position());
        }
        digest.add(reader.bytes(), reader.length());
      }
    }
    long nanos = System.nanoTime() - start;
    if (!digest.hex().equals(log.digest())) {
      throw new IllegalStateException("digests differ: " + digest.hex() + " and " + log.digest());
    }
    System.out.printf(
        Locale.ROOT,
        "%-22s checked: %.1f bytes a record, %.1f bytes of journal an event, read at %.2f M events/s%n",
        mode.name().toLowerCase(Locale.ROOT),
        (double) log.bytes() / log.events(),
        (double) Files.size(journal.resolve("19700101L.cq4")) / log.events(),
        CHECKED_EVENTS * 1e3 / nanos);
    BenchRuns.delete(journal);
  }
}
