package io.fusespill.bench;

import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/// How long an event is on its way from the engine to the dispatch handler, the journal (async)
/// between them, when events come at an even pace.
///
/// The clock of an event starts when it was due, not when it was sent, so that a stall counts for
/// everything it held up. The appending thread sleeps while more than 100 µs remain and spins for
/// the rest, which takes most of a core. One round warms up.
///
/// Run: `./mvnw -q -DskipTests package && java @config/jvm.flags -cp 'bench/target/lib/*'
/// io.fusespill.bench.PipelineLatency [seconds a round] [rounds]`
public final class PipelineLatency {

  private static final long SPIN_NANOS = 100_000;
  private static final long LATENCY_NANOS_MAX = 60_000_000_000L;

  private final PipelineEvents events = new PipelineEvents();
  private final Path journal;
  private final int seconds;

  private PipelineLatency(Path journal, int seconds) {
    this.journal = journal;
    this.seconds = seconds;
  }

  public static void main(String[] arguments) throws IOException {
    int seconds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
    Path scratch = Files.createTempDirectory("latency");
    try {
      PipelineLatency benchmark = new PipelineLatency(scratch.resolve("journal"), seconds);
      BenchRuns.printMachine();
      benchmark.events.checkSizes();
      for (int rate : new int[] {20_000, 100_000}) {
        for (Waiting waiting : List.of(Waiting.BLOCKING, Waiting.YIELDING)) {
          benchmark.measure(rate, waiting, rounds);
        }
      }
    } finally {
      BenchRuns.delete(scratch);
    }
  }

  private void measure(int rate, Waiting waiting, int rounds) throws IOException {
    run(rate, waiting);
    double[] p50 = new double[rounds];
    double[] p99 = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      Histogram latencies = run(rate, waiting);
      p50[round] = latencies.getValueAtPercentile(50) / 1e3;
      p99[round] = latencies.getValueAtPercentile(99) / 1e3;
      System.out.printf(
          Locale.ROOT,
          "%,7d/s %-9s round %d: p50 %8.1f µs, p99 %9.1f, p99.9 %9.1f, max %9.1f%n",
          rate,
          waiting.name().toLowerCase(Locale.ROOT),
          round,
          p50[round],
          p99[round],
          latencies.getValueAtPercentile(99.9) / 1e3,
          latencies.getMaxValue() / 1e3);
    }
    System.out.printf(
        Locale.ROOT,
        "%,7d/s %-9s median:  p50 %8.1f µs, p99 %9.1f%n",
        rate,
        waiting.name().toLowerCase(Locale.ROOT),
        BenchRuns.median(p50),
        BenchRuns.median(p99));
  }

  private Histogram run(int rate, Waiting waiting) throws IOException {
    Histogram latencies = new Histogram(LATENCY_NANOS_MAX, 3);
    long start = System.nanoTime();
    int count = rate * seconds;
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .journal(BenchRuns.journal(journal, Durability.ASYNC))
            .waiting(waiting)
            .dispatch((position, event) ->
                latencies.recordValue(System.nanoTime() - start - event.atNanos()))
            .start();
    try (pipeline) {
      long first = System.nanoTime() - start;
      for (int i = 0; i < count; i++) {
        long due = first + i * 1_000_000_000L / rate;
        awaitNanos(start + due);
        pipeline.append(events.event(i, due));
      }
    }
    if (latencies.getTotalCount() != count || pipeline.events() != count) {
      throw new IllegalStateException(
          "%d appended, %d dispatched".formatted(count, latencies.getTotalCount()));
    }
    BenchRuns.delete(journal);
    return latencies;
  }

  private static void awaitNanos(long nanoTime) {
    for (long rest = nanoTime - System.nanoTime(); rest > 0; rest = nanoTime - System.nanoTime()) {
      if (rest > SPIN_NANOS) {
        LockSupport.parkNanos(rest - SPIN_NANOS);
      } else {
        Thread.onSpinWait();
      }
    }
  }
}
