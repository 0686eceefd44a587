package io.fusespill.engine.config;

/// Every limit of the engine, with its name.
///
/// @param maxNumSeqs sequences running on one device at most, 1 to 65,536
/// @param maxNumBatchedTokens tokens in one step at most, 1 to 16,777,216
/// @param maxModelTokens prompt plus output of one sequence at most, 1 to 16,777,216
/// @param maxAttempts times that a sequence's step or transfer may fail in a row before the
///   sequence is given up, 1 to 1,000
/// @param checkpointEvents events between two `Checkpointed` decisions at least; 0 writes only the
///   one at the end
/// @param maxStepsInFlight steps that a device may have queued or running at once, 1 to 8; 1 plans
///   a step only when the one before it is done
public record EngineLimits(
    int maxNumSeqs,
    int maxNumBatchedTokens,
    int maxModelTokens,
    int maxAttempts,
    int checkpointEvents,
    int maxStepsInFlight) {

  /// The most tokens that one sequence or one step may have: positions stay far below the range of
  /// an int.
  public static final int MAX_TOKENS = 1 << 24;

  /// Sequences that can run on one device at most.
  public static final int MAX_SEQUENCES = 65_536;

  /// The most samples that one request may ask for.
  public static final int MAX_SAMPLES = 1_024;

  public EngineLimits {
    Check.range("max-num-seqs", maxNumSeqs, 1, MAX_SEQUENCES);
    Check.range("max-num-batched-tokens", maxNumBatchedTokens, 1, MAX_TOKENS);
    Check.range("max-model-len", maxModelTokens, 1, MAX_TOKENS);
    Check.range("max-attempts", maxAttempts, 1, 1_000);
    Check.range("checkpoint-every", checkpointEvents, 0, Integer.MAX_VALUE);
    Check.range("depth", maxStepsInFlight, 1, 8);
  }

  /// Limits with one step at a time.
  public EngineLimits(
      int maxNumSeqs,
      int maxNumBatchedTokens,
      int maxModelTokens,
      int maxAttempts,
      int checkpointEvents) {
    this(maxNumSeqs, maxNumBatchedTokens, maxModelTokens, maxAttempts, checkpointEvents, 1);
  }
}
