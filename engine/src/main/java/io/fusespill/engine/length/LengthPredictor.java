package io.fusespill.engine.length;

/// How many output tokens a sequence will still produce, given what is known now.
///
/// Its memory is a fold over the ended sequences: what it answers depends on their order and on
/// nothing else, in particular not on what was asked before. Not thread-safe: the engine owns it.
///
/// `hint` is the request's declared output length in tokens, the true one where the predictor is an
/// oracle, and 0 where there is none.
public interface LengthPredictor {

  /// The longest output that a predictor can be asked for.
  int MAX_TOKENS = 1 << 24;

  /// A sequence has ended.
  ///
  /// @param outputTokens tokens that it produced, 0 or more
  /// @param censored whether it was cut off (cancelled, failed, at a limit), so that the model
  ///   would have produced at least so many
  void observe(int promptTokens, int outputTokens, boolean censored);

  /// The mean of the tokens still to come, from 1 to what the maximum leaves. It is what adds up:
  /// the sum over sequences is the expected load.
  int expectedRemaining(int promptTokens, int outputTokens, int hint);

  /// The smallest number of tokens, at least 1, within which the sequence ends with a chance of
  /// `permille` in 1,000.
  ///
  /// @param permille 0 to 1,000
  int quantileRemaining(int promptTokens, int outputTokens, int hint, int permille);

  /// The median of the tokens still to come: of all single numbers the one with the smallest mean
  /// absolute error. Whether it or the mean orders sequences better depends on the workload.
  default int medianRemaining(int promptTokens, int outputTokens, int hint) {
    return quantileRemaining(promptTokens, outputTokens, hint, 500);
  }

  /// A hash over everything observed, in order.
  long fingerprint();
}
