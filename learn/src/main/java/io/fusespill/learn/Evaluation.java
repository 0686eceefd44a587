package io.fusespill.learn;

import io.fusespill.traces.LengthAccuracy;
import java.util.List;
import java.util.function.ToIntFunction;

/// How a model did on requests that it was not trained on, beside predictors that do not see the
/// text.
///
/// @param trainingRequests requests it was trained on
/// @param heldOutRequests requests it was tried on
/// @param learned the model's
/// @param bucketMean of predicting the mean output of prompts of about the same length
/// @param bucketMedian the same with the median
/// @param globalMedian of predicting the median of all outputs
/// @param gain tokens by which the model's mean absolute error is below that of the better bucket
///   predictor; negative where it is above
/// @param gainError standard error of `gain`, from the differences request by request
public record Evaluation(
    long trainingRequests,
    long heldOutRequests,
    LengthAccuracy.Summary learned,
    LengthAccuracy.Summary bucketMean,
    LengthAccuracy.Summary bucketMedian,
    LengthAccuracy.Summary globalMedian,
    double gain,
    double gainError) {

  /// How many standard errors a gain must be above zero.
  private static final double ERRORS_MIN = 2;

  static Evaluation of(
      List<TextRequest> training, List<TextRequest> heldOut, ToIntFunction<TextRequest> model) {
    PromptBuckets buckets = new PromptBuckets(training);
    ToIntFunction<TextRequest> byMean = request -> buckets.mean(request.promptTokens());
    ToIntFunction<TextRequest> byMedian = request -> buckets.median(request.promptTokens());
    LengthAccuracy.Summary mean = accuracy(heldOut, byMean);
    LengthAccuracy.Summary median = accuracy(heldOut, byMedian);
    boolean medianIsBetter = median.meanAbsoluteError() <= mean.meanAbsoluteError();
    ToIntFunction<TextRequest> better = medianIsBetter ? byMedian : byMean;
    double[] gains =
        heldOut.stream()
            .mapToDouble(request -> error(better, request) - error(model, request))
            .toArray();
    double gain = mean(gains);
    return new Evaluation(
        training.size(),
        heldOut.size(),
        accuracy(heldOut, model),
        mean,
        median,
        accuracy(heldOut, request -> buckets.median()),
        gain,
        standardError(gains, gain));
  }

  private static LengthAccuracy.Summary accuracy(
      List<TextRequest> requests, ToIntFunction<TextRequest> predictor) {
    LengthAccuracy accuracy = new LengthAccuracy();
    requests.forEach(
        request -> accuracy.add(predictor.applyAsInt(request), request.outputTokens()));
    return accuracy.summary();
  }

  private static int error(ToIntFunction<TextRequest> predictor, TextRequest request) {
    return Math.abs(predictor.applyAsInt(request) - request.outputTokens());
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  private static double standardError(double[] values, double mean) {
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return Math.sqrt(squares / (values.length - 1) / values.length);
  }

  /// The lower of the two bucket predictors' mean absolute errors.
  public double textBlindError() {
    return Math.min(bucketMean.meanAbsoluteError(), bucketMedian.meanAbsoluteError());
  }

  /// The higher of the two bucket predictors' pairwise accuracies.
  public double textBlindPairs() {
    return Math.max(bucketMean.pairwiseAccuracy(), bucketMedian.pairwiseAccuracy());
  }

  /// Whether the text was worth reading: an error lower by more than chance explains, and more
  /// pairs in the right order.
  public boolean beatsTextBlind() {
    return hasLowerError() && ordersMorePairs();
  }

  /// Whether `gain` is above two standard errors.
  public boolean hasLowerError() {
    return gain > ERRORS_MIN * gainError;
  }

  /// Whether the pairwise accuracy is above both bucket predictors'.
  public boolean ordersMorePairs() {
    return learned.pairwiseAccuracy() > textBlindPairs();
  }
}
