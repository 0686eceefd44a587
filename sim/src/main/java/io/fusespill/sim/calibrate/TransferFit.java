package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FeatureRange;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.profile.ProfileException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Fits the time of transfers over a link: until it begins if it is idle, and each byte.
///
/// Where all were of one size and found the link idle, nothing tells the two apart, and the bytes
/// get it all. Where few found it idle they are left out, and it begins at once.
public final class TransferFit {

  /// The fewest transfers from which a link is fitted.
  public static final int SAMPLES_MIN = 10;

  /// The fewest that found the link idle from which its latency is taken: the first copy of a run
  /// may be a slow one.
  private static final int IDLE_MIN = 5;

  private static final int FOLDS = 5;

  private TransferFit() {}

  /// @throws ProfileException if the samples are too few
  public static FittedLink of(String from, String to, List<TransferSample> measured) {
    if (measured.size() < SAMPLES_MIN) {
      throw new ProfileException(
          "the link from %s to %s has %d measured transfers, must have at least %d: measure a longer run"
              .formatted(from, to, measured.size(), SAMPLES_MIN));
    }
    List<TransferSample> queued = measured.stream().filter(each -> !each.foundIdle()).toList();
    boolean few = measured.size() - queued.size() < IDLE_MIN && queued.size() >= SAMPLES_MIN;
    List<TransferSample> samples = few ? queued : measured;
    int n = samples.size();
    int[][] indices = new int[n][];
    Arrays.fill(indices, new int[] {0, 1});
    Regression regression =
        new Regression(
            2,
            indices,
            samples.stream()
                .map(each -> new double[] {each.bytes(), each.foundIdle() ? 1 : 0})
                .toArray(double[][]::new),
            samples.stream().mapToDouble(TransferSample::nanos).toArray());
    double[] all = regression.fit(IntStream.range(0, n).toArray());
    Errors errors = new Errors();
    for (int fold = 0; fold < FOLDS; fold++) {
      int out = fold;
      double[] seen = regression.fit(IntStream.range(0, n).filter(i -> i % FOLDS != out).toArray());
      for (int i = out; i < n; i += FOLDS) {
        errors.add(regression.predict(i, seen), regression.measured(i));
      }
    }
    return new FittedLink(
        from,
        to,
        all[1],
        all[0],
        new FeatureRange(
            samples.stream().mapToLong(TransferSample::bytes).min().orElseThrow(),
            samples.stream().mapToLong(TransferSample::bytes).max().orElseThrow()),
        errors.toFitErrors());
  }
}
