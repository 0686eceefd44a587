package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.SubmitLatency;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Fits what passes before a step that was planned in answer to the one before. Where all steps
/// were of one size nothing tells a sequence's part, and the step gets it all.
public final class SubmitFit {

  private SubmitFit() {}

  /// The latency that the samples tell; none where there are none.
  public static SubmitLatency of(List<SubmitSample> samples) {
    if (samples.isEmpty()) {
      return SubmitLatency.NONE;
    }
    boolean alike = samples.stream().mapToInt(SubmitSample::sequences).distinct().count() == 1;
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
            samples.stream().mapToDouble(SubmitSample::nanos).toArray());
    double[] fitted = regression.fit(IntStream.range(0, samples.size()).toArray());
    return new SubmitLatency(Math.round(fitted[0]), alike ? 0 : Math.round(fitted[1]));
  }
}
