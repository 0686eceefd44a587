package io.fusespill.engine.metrics;

import io.fusespill.engine.length.PredictorKind;
import java.util.List;

/// How well a predictor knew what came.
///
/// A *moment* is one running sequence in one sampled step. Sequences are thus met in proportion to
/// their length and at any stage of it, as a scheduler meets them. Errors are in tokens of
/// remaining length.
///
/// @param moments moments whose sequence ran to its end
/// @param meanErrorOfMedian mean absolute error of the predicted median
/// @param medianErrorOfMedian median absolute error of the predicted median, to within 1/64
/// @param meanErrorOfMean mean absolute error of the predicted mean
/// @param bias mean of predicted mean less what came
/// @param pairs pairs of moments of one step that did not remain equally long
/// @param orderedByMedian share of the pairs that the predicted medians order rightly; equal ones
///   count half
/// @param orderedByMean the same by the predicted means
/// @param calibration for each of [#LEVELS], the share of moments at which no more came than that
///   quantile said; a calibrated predictor has the level itself
/// @param bands the errors by tokens generated at the moment, one for each of [#BAND_STARTS]
public record PredictionFigures(
    PredictorKind kind,
    long moments,
    double meanErrorOfMedian,
    int medianErrorOfMedian,
    double meanErrorOfMean,
    double bias,
    long pairs,
    double orderedByMedian,
    double orderedByMean,
    List<Double> calibration,
    List<Band> bands) {

  /// Quantiles whose calibration is measured, in permille.
  public static final List<Integer> LEVELS = List.of(500, 800, 900, 950);

  /// Generated tokens at which a band begins.
  public static final List<Integer> BAND_STARTS = List.of(0, 32, 128, 512, 2_048);

  /// Moments at which so many tokens had been generated.
  ///
  /// @param meanErrorOfMedian mean absolute error of the predicted median
  public record Band(int fromTokens, long moments, double meanErrorOfMedian) {}
}
