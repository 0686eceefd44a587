package io.fusespill.engine.metrics;

import io.fusespill.engine.length.LogBins;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.metrics.PredictionAccuracy.MomentListener;
import io.fusespill.engine.metrics.PredictionFigures.Band;
import java.util.ArrayList;
import java.util.List;

/// Sums up predictions against what came.
final class PredictionTally {

  private static final int LEVELS = PredictionFigures.LEVELS.size();
  private static final int BANDS = PredictionFigures.BAND_STARTS.size();

  private final MomentListener listener;
  private final LogBins errorBins;
  private final long[] errors;
  private final long[] within = new long[LEVELS];
  private final long[] bandMoments = new long[BANDS];
  private final long[] bandErrors = new long[BANDS];
  private long moments;
  private long errorOfMedian;
  private long errorOfMean;
  private long excess;
  private long pairs;
  private long halvesByMedian;
  private long halvesByMean;

  PredictionTally(int maxTokens, MomentListener listener) {
    this.listener = listener;
    errorBins = new LogBins(64, maxTokens);
    errors = new long[errorBins.count()];
  }

  /// @param quantiles what was predicted for each of [PredictionFigures#LEVELS], the median first
  void moment(int generated, int mean, int[] quantiles, int remaining) {
    listener.moment(generated, quantiles[0], remaining);
    int error = Math.abs(quantiles[0] - remaining);
    moments++;
    errorOfMedian += error;
    errorOfMean += Math.abs(mean - remaining);
    excess += mean - remaining;
    errors[errorBins.index(error)]++;
    for (int level = 0; level < LEVELS; level++) {
      within[level] += remaining <= quantiles[level] ? 1 : 0;
    }
    int band = band(generated);
    bandMoments[band]++;
    bandErrors[band] += error;
  }

  private static int band(int generated) {
    int band = 0;
    while (band + 1 < BANDS && generated >= PredictionFigures.BAND_STARTS.get(band + 1)) {
      band++;
    }
    return band;
  }

  /// Two moments of one step: the differences between the first and the second.
  void pair(int mean, int median, int remaining) {
    if (remaining != 0) {
      int side = Integer.signum(remaining);
      pairs++;
      halvesByMean += 1 + side * Integer.signum(mean);
      halvesByMedian += 1 + side * Integer.signum(median);
    }
  }

  PredictionFigures figures(PredictorKind kind) {
    List<Double> calibration = new ArrayList<>();
    for (long inside : within) {
      calibration.add(mean(inside, moments));
    }
    List<Band> bands = new ArrayList<>();
    for (int band = 0; band < BANDS; band++) {
      bands.add(
          new Band(
              PredictionFigures.BAND_STARTS.get(band),
              bandMoments[band],
              mean(bandErrors[band], bandMoments[band])));
    }
    return new PredictionFigures(
        kind,
        moments,
        mean(errorOfMedian, moments),
        medianError(),
        mean(errorOfMean, moments),
        mean(excess, moments),
        pairs,
        mean(halvesByMedian, 2 * pairs),
        mean(halvesByMean, 2 * pairs),
        List.copyOf(calibration),
        List.copyOf(bands));
  }

  private int medianError() {
    long below = 0;
    int bin = 0;
    while (bin < errors.length - 1 && 2 * (below + errors[bin]) < moments) {
      below += errors[bin++];
    }
    return errorBins.low(bin);
  }

  /// 0 of nothing.
  private static double mean(long sum, long count) {
    return count == 0 ? 0 : (double) sum / count;
  }
}
