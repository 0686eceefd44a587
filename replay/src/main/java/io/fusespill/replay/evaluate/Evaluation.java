package io.fusespill.replay.evaluate;

import io.fusespill.replay.evaluate.CellResult.Failed;
import io.fusespill.traces.TraceException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

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
    List<FutureTask<CellResult>> tasks =
        works.stream()
            .map(work -> new FutureTask<CellResult>(() -> run(work, ended, progress)))
            .toList();
    try (ExecutorService threads =
        Executors.newFixedThreadPool(
            jobs, Thread.ofPlatform().daemon().name("cell-", 0).factory())) {
      IntStream.range(0, works.size())
          .boxed()
          .sorted(Comparator.comparingLong((Integer i) -> works.get(i).requests()).reversed())
          .forEach(i -> threads.execute(tasks.get(i)));
      List<CellResult> results = new ArrayList<>();
      for (int i = 0; i < tasks.size(); i++) {
        results.add(result(works.get(i).cell(), tasks.get(i)));
      }
      return results;
    }
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
    } finally {
      own.accept(work.requests());
    }
  }

  private static CellResult result(Cell cell, FutureTask<CellResult> task) {
    try {
      return task.get();
    } catch (ExecutionException e) {
      return new Failed(cell, message(e.getCause() == null ? e : e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Failed(cell, "interrupted");
    }
  }

  private static String message(Throwable failure) {
    boolean mendable =
        failure instanceof TraceException || failure instanceof IllegalArgumentException;
    StackTraceElement[] trace = failure.getStackTrace();
    return mendable
        ? String.valueOf(failure.getMessage())
        : failure + (trace.length == 0 ? "" : " at " + trace[0]);
  }
}
