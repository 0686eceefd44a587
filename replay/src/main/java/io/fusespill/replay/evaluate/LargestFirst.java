package io.fusespill.replay.evaluate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/// Independent pieces of work on threads of their own, the largest first, so that none that takes
/// long is left for the end.
public final class LargestFirst {

  private LargestFirst() {}

  /// Does all of it and returns then.
  ///
  /// @param jobs pieces at once, at least 1
  /// @param action called on `jobs` threads. What it throws ends the work on the others too, and is
  ///   thrown on.
  public static <T> void run(List<T> works, ToLongFunction<T> size, int jobs, Consumer<T> action) {
    try (ExecutorService threads =
        Executors.newFixedThreadPool(
            jobs, Thread.ofPlatform().daemon().name("scenario-", 0).factory())) {
      List<Future<?>> running = new ArrayList<>();
      works.stream()
          .sorted(Comparator.comparingLong(size).reversed())
          .forEach(work -> running.add(threads.submit(() -> action.accept(work))));
      for (Future<?> each : running) {
        try {
          each.get();
        } catch (ExecutionException e) {
          threads.shutdownNow();
          switch (e.getCause()) {
            case RuntimeException thrown -> throw thrown;
            case Error thrown -> throw thrown;
            case null, default ->
                throw new IllegalStateException(
                    "a piece of work threw: " + e.getCause(), e.getCause());
          }
        } catch (InterruptedException e) {
          threads.shutdownNow();
          Thread.currentThread().interrupt();
          throw new IllegalStateException("interrupted before all was done", e);
        }
      }
    }
  }
}
