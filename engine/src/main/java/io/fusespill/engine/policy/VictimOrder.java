package io.fusespill.engine.policy;

import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.state.Sequence;

/// Which of several sequences goes first when a device has no room.
enum VictimOrder {
  /// The one whose best handling costs least for each block and nanosecond that it frees.
  COST,
  /// The request that arrived last, as in vLLM.
  NEWEST,
  /// The oldest, but for the very oldest, which never goes.
  OLDEST_LAST,
  /// The one with the fewest tokens computed.
  LEAST_COMPUTED,
  /// The one expected to run longest.
  MOST_REMAINING,
  /// The one expected to end first.
  LEAST_REMAINING,
  /// The one with the fewest expected tokens for each token that it holds: nearly done and large
  /// (the FuseSpill artifact's order under pressure).
  REMAINING_PER_TOKEN;

  private static final long SCALE = 1 << 20;

  /// The greatest goes first; [#COST] has no key.
  long key(Sequence sequence, LengthPredictor lengths) {
    return switch (this) {
      case COST, NEWEST -> sequence.id();
      case OLDEST_LAST -> -(long) sequence.id();
      case LEAST_COMPUTED -> -(long) sequence.computedTokens();
      case MOST_REMAINING -> remaining(sequence, lengths);
      case LEAST_REMAINING -> -(long) remaining(sequence, lengths);
      case REMAINING_PER_TOKEN -> -perToken(sequence, lengths);
    };
  }

  /// Expected remaining tokens for each token held: what the artifact offloads first is where this
  /// is greatest.
  static long perToken(Sequence sequence, LengthPredictor lengths) {
    return remaining(sequence, lengths) * SCALE / Math.max(1, sequence.totalTokens());
  }

  /// Output tokens that the sequence is expected to produce still, at least 1 and at most what its
  /// request and the longest context allow.
  static int remaining(Sequence sequence, LengthPredictor lengths) {
    int expected =
        lengths.expectedRemaining(
            sequence.request().promptTokens(),
            sequence.outputTokens(),
            sequence.request().hintTokens());
    int most = sequence.request().outputTokensMax() - sequence.outputTokens();
    return Math.max(1, Math.min(expected, most));
  }

  /// Output tokens that each member is expected to produce still, on average.
  static int remaining(SampleGroup group, LengthPredictor lengths) {
    long remaining = 0;
    for (Sequence member : group.members()) {
      remaining += remaining(member, lengths);
    }
    return (int) (remaining / group.size());
  }
}
