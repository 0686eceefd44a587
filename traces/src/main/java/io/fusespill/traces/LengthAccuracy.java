package io.fusespill.traces;

import java.util.Arrays;

/// How well lengths that somebody said beforehand agree with what came. It keeps 8 bytes for each
/// pair of them.
public final class LengthAccuracy {

  private long[] pairs = new long[64];
  private int count;

  /// @param saidTokens what was said, 0 to [TraceLimits#MAX_TOKENS]
  /// @param trueTokens what came, 1 to [TraceLimits#MAX_TOKENS]
  public void add(int saidTokens, int trueTokens) {
    Check.range("saidTokens", saidTokens, 0, TraceLimits.MAX_TOKENS);
    Check.range("trueTokens", trueTokens, 1, TraceLimits.MAX_TOKENS);
    if (count == pairs.length) {
      pairs = Arrays.copyOf(pairs, 2 * count);
    }
    pairs[count++] = (long) trueTokens << Integer.SIZE | saidTokens;
  }

  public Summary summary() {
    long[] sorted = Arrays.copyOf(pairs, count);
    Arrays.sort(sorted);
    int[] errors = new int[count];
    long total = 0;
    for (int i = 0; i < count; i++) {
      errors[i] = Math.abs(said(sorted[i]) - truth(sorted[i]));
      total += errors[i];
    }
    Arrays.sort(errors);
    return new Summary(
        count,
        count == 0 ? 0 : (double) total / count,
        count == 0 ? 0 : errors[(count - 1) / 2],
        pairwise(sorted));
  }

  /// Goes up the true lengths and asks of each request how many of the shorter ones were said to be
  /// shorter.
  private static double pairwise(long[] sorted) {
    Ranks ranks = new Ranks(sorted);
    long halves = 0;
    long compared = 0;
    int from = 0;
    while (from < sorted.length) {
      int to = from;
      while (to < sorted.length && truth(sorted[to]) == truth(sorted[from])) {
        halves += ranks.below(said(sorted[to])) + ranks.upTo(said(sorted[to]));
        to++;
      }
      compared += (long) from * (to - from);
      for (int i = from; i < to; i++) {
        ranks.add(said(sorted[i]));
      }
      from = to;
    }
    return compared == 0 ? Double.NaN : halves / 2.0 / compared;
  }

  private static int truth(long pair) {
    return (int) (pair >>> Integer.SIZE);
  }

  private static int said(long pair) {
    return (int) pair;
  }

  /// @param requests pairs that were added
  /// @param meanAbsoluteError in tokens, 0 for no requests
  /// @param medianAbsoluteError in tokens, by nearest rank, 0 for no requests
  /// @param pairwiseAccuracy share of the pairs of requests with different true lengths of which
  ///   the longer one was said to be the longer; a pair that was said to be equal counts half, so
  ///   0.5 is guessing. NaN where there is no such pair.
  public record Summary(
      long requests, double meanAbsoluteError, int medianAbsoluteError, double pairwiseAccuracy) {}

  /// How many of the values added are at most another (P. Fenwick, "A new data structure for
  /// cumulative frequency tables", Software: Practice and Experience 24(3), 1994).
  private static final class Ranks {

    private final int[] values;
    private final int[] tree;

    Ranks(long[] pairs) {
      values = Arrays.stream(pairs).mapToInt(LengthAccuracy::said).sorted().distinct().toArray();
      tree = new int[values.length + 1];
    }

    void add(int value) {
      for (int i = rank(value); i < tree.length; i += i & -i) {
        tree[i]++;
      }
    }

    long upTo(int value) {
      return sum(rank(value));
    }

    long below(int value) {
      return sum(rank(value) - 1);
    }

    private int rank(int value) {
      return Arrays.binarySearch(values, value) + 1;
    }

    private long sum(int rank) {
      long sum = 0;
      for (int i = rank; i > 0; i -= i & -i) {
        sum += tree[i];
      }
      return sum;
    }
  }
}
