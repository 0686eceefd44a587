package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.SubmitLatency;
import java.util.Arrays;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.stream.IntStream;

/// Fits what passes before a step that was planned in answer to the one before. Where the largest
/// step has less than twice the sequences of the smallest, nothing tells a sequence's part, and the
/// step gets it all.
public final class SubmitFit {

  /// A sample counts as at least this part of the median: errors are relative, and next to nothing
  /// would outweigh all others.
  private static final double LEAST = 0.1;

  private SubmitFit() {}

  /// The latency that the samples tell; none where there are none, or most waited no longer.
  public static SubmitLatency of(List<SubmitSample> samples) {
    double median =
        samples.stream()
            .mapToLong(SubmitSample::nanos)
            .sorted()
            .skip(samples.size() / 2)
            .findFirst()
            .orElse(0);
    if (median <= 0) {
      return SubmitLatency.NONE;
    }
    IntSummaryStatistics sizes =
        samples.stream().mapToInt(SubmitSample::sequences).summaryStatistics();
    boolean alike = sizes.getMax() < 2 * sizes.getMin();
    int[] columns = alike ? new int[] {0} : new int[] {0, 1};
    int[][] indices = new int[samples.size()][];
    Arrays.fill(indices, columns);
    Regression regression =
        new Regression(
            columns.length,
            indices,
            samples.stream()
                .map(each -> alike ? new double[] {1} : new double[] {1, each.sequences()})
                .toArray(double[][]::new),
            samples.stream()
                .mapToDouble(each -> Math.max(LEAST * median, (double) each.nanos()))
                .toArray());
    double[] fitted = regression.fit(IntStream.range(0, samples.size()).toArray());
    return new SubmitLatency(Math.round(fitted[0]), alike ? 0 : Math.round(fitted[1]));
  }
}
