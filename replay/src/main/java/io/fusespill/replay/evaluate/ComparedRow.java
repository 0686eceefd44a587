package io.fusespill.replay.evaluate;

import io.fusespill.replay.evaluate.CellResult.Ran;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A policy's runs on one platform, model and workload.
///
/// @param runs one for each seed that did not fail
/// @param failures seeds that did
/// @param gain over the best baseline; null for that itself and where there is none
public record ComparedRow(
    PolicyRow policy, List<Ran> runs, int failures, boolean best, @Nullable Gain gain) {

  /// What rows are ranked by.
  static final String THROUGHPUT = "output_throughput";

  /// Output tokens per second more than the best baseline, as a share of its own, seed by seed.
  ///
  /// @param significant whether the mean is larger than the spread; true for a single seed
  public record Gain(Statistic share, boolean significant) {}

  public ComparedRow {
    runs = List.copyOf(runs);
  }

  /// A figure over the seeds.
  public Statistic figure(String name) {
    return Statistic.of(runs.stream().map(run -> run.figure(name)).toList());
  }

  ComparedRow against(ComparedRow baseline) {
    if (baseline.equals(this)) {
      return new ComparedRow(policy, runs, failures, true, null);
    }
    List<Double> shares = new ArrayList<>();
    for (Ran run : runs) {
      for (Ran other : baseline.runs) {
        if (other.cell().seed() == run.cell().seed() && other.figure(THROUGHPUT) > 0) {
          shares.add(run.figure(THROUGHPUT) / other.figure(THROUGHPUT) - 1);
        }
      }
    }
    if (shares.isEmpty()) {
      return this;
    }
    Statistic share = Statistic.of(shares);
    boolean significant = share.count() < 2 || Math.abs(share.mean()) > share.spread();
    return new ComparedRow(policy, runs, failures, false, new Gain(share, significant));
  }
}
