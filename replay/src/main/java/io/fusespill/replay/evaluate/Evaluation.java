package io.fusespill.replay.evaluate;

import io.fusespill.replay.evaluate.CellResult.Failed;
import io.fusespill.traces.TraceException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/// Runs cells in parallel, one on a thread, those with the most requests first. What happens in one
/// does not touch another: a cell that fails is a result like any.
public final class Evaluation {

  /// A cell and how many requests it has.
  private record Work(Cell cell, long requests) {}

  private final List<Work> works;

  /// Reads every trace once, to know how much there is to do.
  ///
  /// @throws TraceException if one is malformed
  public Evaluation(List<Cell> cells) {
    Map<NamedWorkload, Long> counts = new HashMap<>();
    works =
        cells.stream()
            .map(cell -> new Work(cell, counts.computeIfAbsent(cell.workload(), w -> count(w))))
            .toList();
  }

  private static long count(NamedWorkload workload) {
    return workload.workload().count();
  }

  /// Requests of all cells together.
  public long requests() {
    return works.stream().mapToLong(Work::requests).sum();
  }

  /// Runs all cells and returns their results in the order of the cells.
  ///
  /// @param jobs cells at once, at least 1
  /// @param progress hears how many of [#requests] have ended; called by every thread
  public List<CellResult> run(int jobs, LongConsumer progress) {
    AtomicLong ended = new AtomicLong();
    Map<Work, CellResult> results = new ConcurrentHashMap<>();
    LargestFirst.run(
        works, Work::requests, jobs, work -> results.put(work, run(work, ended, progress)));
    return works.stream().map(work -> Objects.requireNonNull(results.get(work))).toList();
  }

  private static CellResult run(Work work, AtomicLong ended, LongConsumer progress) {
    long[] told = {0};
    LongConsumer own =
        amount -> {
          progress.accept(ended.addAndGet(amount - told[0]));
          told[0] = amount;
        };
    try {
      return CellRun.run(work.cell(), own);
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) {
      return new Failed(work.cell(), message(e));
    } finally {
      own.accept(work.requests());
    }
  }

  /// Why a run failed, on one line: what the user can mend in the words of who refused it, anything
  /// else with the place where it happened.
  public static String message(Throwable failure) {
    boolean mendable =
        failure instanceof TraceException || failure instanceof IllegalArgumentException;
    StackTraceElement[] trace = failure.getStackTrace();
    return mendable
        ? String.valueOf(failure.getMessage())
        : failure + (trace.length == 0 ? "" : " at " + trace[0]);
  }
}
