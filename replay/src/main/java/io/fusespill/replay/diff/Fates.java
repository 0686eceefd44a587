package io.fusespill.replay.diff;

import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RequestOutcome.Ending;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// How the requests of two runs fared, one by one: those with the same number and prompt are the
/// same request.
///
/// @param compared requests that both runs completed
/// @param better of them, those that the second run served sooner
/// @param worse those that it served later
/// @param meanNanos how much later the second run served them on average; below 0 for sooner
/// @param most those that fared differently, the largest difference first
/// @param endedOtherwise requests that ended in one run otherwise than in the other
/// @param onlyA requests that arrived in the first run alone, or with another prompt
/// @param onlyB the same of the second
/// @param spilledBoth requests that both runs preempted
/// @param spilledA requests that the first run alone preempted
/// @param spilledB the same of the second
public record Fates(
    int compared,
    int better,
    int worse,
    long meanNanos,
    List<Fate> most,
    int endedOtherwise,
    int onlyA,
    int onlyB,
    int spilledBoth,
    int spilledA,
    int spilledB) {

  /// One request in both runs.
  public record Fate(RequestOutcome a, RequestOutcome b) {

    /// How much later the second run served it; below 0 for sooner.
    public long laterNanos() {
      return total(b) - total(a);
    }

    private static long total(RequestOutcome outcome) {
      return outcome.endNanos() - outcome.arrivalNanos();
    }
  }

  /// Compares what became of the requests of two runs, in any order.
  public static Fates of(List<RequestOutcome> a, List<RequestOutcome> b) {
    List<RequestOutcome> first = byNumber(a);
    List<RequestOutcome> second = byNumber(b);
    List<Fate> fates = new ArrayList<>();
    int onlyA = 0;
    int onlyB = 0;
    int endedOtherwise = 0;
    int[] spilled = new int[4];
    int i = 0;
    int j = 0;
    while (i < first.size() || j < second.size()) {
      int left = i < first.size() ? first.get(i).request() : Integer.MAX_VALUE;
      int right = j < second.size() ? second.get(j).request() : Integer.MAX_VALUE;
      if (left < right) {
        onlyA++;
        i++;
      } else if (right < left) {
        onlyB++;
        j++;
      } else {
        RequestOutcome mine = first.get(i++);
        RequestOutcome others = second.get(j++);
        if (mine.promptTokens() != others.promptTokens()) {
          onlyA++;
          onlyB++;
          continue;
        }
        spilled[(mine.preemptions() > 0 ? 1 : 0) + (others.preemptions() > 0 ? 2 : 0)]++;
        if (mine.ending() != others.ending()) {
          endedOtherwise++;
        } else if (mine.ending() == Ending.COMPLETED) {
          fates.add(new Fate(mine, others));
        }
      }
    }
    int better = (int) fates.stream().filter(fate -> fate.laterNanos() < 0).count();
    int worse = (int) fates.stream().filter(fate -> fate.laterNanos() > 0).count();
    long mean =
        fates.isEmpty()
            ? 0
            : Math.round(fates.stream().mapToLong(Fate::laterNanos).average().orElse(0));
    List<Fate> most =
        fates.stream()
            .filter(fate -> fate.laterNanos() != 0)
            .sorted(
                Comparator.comparingLong((Fate fate) -> -Math.abs(fate.laterNanos()))
                    .thenComparingInt(fate -> fate.a().request()))
            .toList();
    return new Fates(
        fates.size(),
        better,
        worse,
        mean,
        most,
        endedOtherwise,
        onlyA,
        onlyB,
        spilled[3],
        spilled[1],
        spilled[2]);
  }

  private static List<RequestOutcome> byNumber(List<RequestOutcome> outcomes) {
    return outcomes.stream().sorted(Comparator.comparingInt(RequestOutcome::request)).toList();
  }

  /// The first few that fared better, or worse, in the second run.
  public List<Fate> most(boolean better, int count) {
    return most.stream().filter(fate -> fate.laterNanos() < 0 == better).limit(count).toList();
  }
}
