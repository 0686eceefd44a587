package io.fusespill.learn;

import java.util.Arrays;
import java.util.List;

/// What can be known of an output without the prompt's text: the lengths of outputs whose prompts
/// were about as long.
///
/// Bucket `b` has the prompts of 2^(b/2) to 2^((b+1)/2) tokens, two buckets to a doubling. Nothing
/// is censored in training data, so a Kaplan–Meier estimate at no token generated is the bucket's
/// plain distribution. A bucket with fewer than 10 requests takes all requests' instead.
final class PromptBuckets {

  private static final int BUCKETS = 64;
  private static final int REQUESTS_MIN = 10;

  private final int[] means = new int[BUCKETS];
  private final int[] medians = new int[BUCKETS];
  private final int median;

  PromptBuckets(List<TextRequest> requests) {
    int[] all = outputs(requests, -1);
    median = median(all);
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
      int[] outputs = outputs(requests, bucket);
      outputs = outputs.length < REQUESTS_MIN ? all : outputs;
      medians[bucket] = median(outputs);
      means[bucket] = (int) Math.round(Arrays.stream(outputs).average().orElseThrow());
    }
  }

  /// Sorted; of all buckets for −1.
  private static int[] outputs(List<TextRequest> requests, int bucket) {
    return requests.stream()
        .filter(request -> bucket < 0 || bucket(request.promptTokens()) == bucket)
        .mapToInt(TextRequest::outputTokens)
        .sorted()
        .toArray();
  }

  private static int median(int[] sorted) {
    return sorted[(sorted.length - 1) / 2];
  }

  /// Twice the exponent of two, and one more from the square root of two times that power on.
  static int bucket(int promptTokens) {
    int exponent = 31 - Integer.numberOfLeadingZeros(promptTokens);
    long square = (long) promptTokens * promptTokens;
    return 2 * exponent + (square >= 2L << (2 * exponent) ? 1 : 0);
  }

  int mean(int promptTokens) {
    return means[bucket(promptTokens)];
  }

  int median(int promptTokens) {
    return medians[bucket(promptTokens)];
  }

  /// The median of all requests.
  int median() {
    return median;
  }
}
