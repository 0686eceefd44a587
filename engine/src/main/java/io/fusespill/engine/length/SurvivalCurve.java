package io.fusespill.engine.length;

/// The share of sequences that reach each output length, and what follows from it for one that has
/// come so far: `P(T > t | T > g) = S(t) / S(g)`.
///
/// The estimate is that of Kaplan and Meier (JASA 53, 1958) with a prior: at each length the share
/// that goes on is `(n - d + k·p') / (n + k·p)`, where `n` sequences have come so far, `d` of them
/// ended here, and the prior curve falls from `p` to `p'`. The prior counts as `k` sequences
/// (Susarla and Van Ryzin, JASA 71, 1976); `k = 0` is the estimate of Kaplan and Meier. A sequence
/// cut off at a length counts as one that came so far.
///
/// Immutable.
final class SurvivalCurve {

  /// Output lengths of ShareGPT at every twentieth of the requests, in Llama 2 tokens, up to 95 %:
  /// project-etalon/etalon, `sharegpt_8k_filtered_stats_llama2_tokenizer.csv` (30,731 requests,
  /// Apache-2.0). The file ends at 1,024 tokens, which is its filter and not the model's.
  private static final int[] SHAREGPT = {
    2, 44, 84, 130, 181, 228, 271, 312, 346, 381, 415, 453, 493, 534, 581, 628, 683, 754, 834, 920
  };

  /// Beyond the table the prior falls as a power of the length, so that the remaining life grows
  /// with the life so far: a quarter of it on average.
  private static final int TAIL_EXPONENT = 5;

  private static final int MEDIAN = 500;
  private static final double ROUNDING = 1e-9;

  private final LogBins bins;

  /// Share of the sequences that reach the bin; one more for the end of the last.
  private final double[] reaching;

  /// Sum over the bin and all later ones: share that ends there times the length at which it ends.
  private final double[] lengths;

  /// The bin in which half of those that reach the bin have ended, so that a median needs no
  /// search.
  private final short[] medians;

  private SurvivalCurve(LogBins bins, double[] reaching) {
    this.bins = bins;
    this.reaching = reaching;
    this.lengths = new double[reaching.length];
    this.medians = new short[bins.count()];
    for (int bin = reaching.length - 2; bin >= 0; bin--) {
      double middle = (bins.low(bin) + bins.high(bin)) / 2.0;
      lengths[bin] = lengths[bin + 1] + (reaching[bin] - reaching[bin + 1]) * middle;
    }
    int median = 0;
    for (int bin = 0; bin < bins.count(); bin++) {
      median = walk(Math.max(median, bin), target(reaching[bin], MEDIAN));
      medians[bin] = (short) median;
    }
  }

  /// The share that is left when `permille` of `share` have ended.
  private static double target(double share, int permille) {
    return share * (1_000 - permille) / 1_000 * (1 + ROUNDING);
  }

  /// The first bin from `from` on at whose end at most `target` is left.
  private int walk(int from, double target) {
    int bin = from;
    while (bin < bins.count() - 1 && reaching[bin + 1] > target) {
      bin++;
    }
    return bin;
  }

  /// What is believed before anything has been seen.
  static SurvivalCurve prior(LogBins bins) {
    double[] reaching = new double[bins.count() + 1];
    for (int bin = 0; bin < bins.count(); bin++) {
      reaching[bin] = priorAbove(bins.low(bin) - 1);
    }
    return new SurvivalCurve(bins, reaching);
  }

  private static double priorAbove(int tokens) {
    int last = SHAREGPT.length - 1;
    if (tokens < SHAREGPT[0]) {
      return 1;
    }
    if (tokens >= SHAREGPT[last]) {
      double ratio = (double) SHAREGPT[last] / tokens;
      return (1 - last / 20.0) * StrictMath.pow(ratio, TAIL_EXPONENT);
    }
    int row = 0;
    while (tokens >= SHAREGPT[row + 1]) {
      row++;
    }
    double part = (double) (tokens - SHAREGPT[row]) / (SHAREGPT[row + 1] - SHAREGPT[row]);
    return 1 - (row + part) / 20;
  }

  /// The curve of `counts`, to which `prior` is added as `weight` sequences.
  static SurvivalCurve of(LengthCounts counts, SurvivalCurve prior, double weight) {
    LogBins bins = counts.bins();
    double[] reaching = new double[bins.count() + 1];
    reaching[0] = 1;
    int reached = counts.total();
    for (int bin = 0; bin < bins.count(); bin++) {
      double before = reached + weight * prior.reaching[bin];
      double after = reached - counts.ended(bin) + weight * prior.reaching[bin + 1];
      reaching[bin + 1] = reaching[bin] * (before > 0 ? after / before : prior.goingOn(bin));
      reached -= counts.ended(bin) + counts.censored(bin);
    }
    reaching[bins.count()] = 0;
    return new SurvivalCurve(bins, reaching);
  }

  private double goingOn(int bin) {
    return reaching[bin] > 0 ? reaching[bin + 1] / reaching[bin] : 0;
  }

  /// `S(tokens)`: the share of sequences with more than `tokens` output tokens.
  double above(int tokens) {
    return tokens >= bins.max() ? 0 : reaching(tokens + 1);
  }

  /// The share that reaches a length; within a bin it falls in a straight line.
  private double reaching(int length) {
    int bin = bins.index(length);
    double width = bins.high(bin) - bins.low(bin) + 1;
    return reaching[bin] - (reaching[bin] - reaching[bin + 1]) * (length - bins.low(bin)) / width;
  }

  /// The mean number of tokens to come after `outputTokens`.
  int expectedRemaining(int outputTokens) {
    if (outputTokens >= bins.max()) {
      return 1;
    }
    int next = outputTokens + 1;
    int bin = bins.index(next);
    double share = reaching(next);
    if (share <= 0) {
      return 1;
    }
    double here = (share - reaching[bin + 1]) * ((next + bins.high(bin)) / 2.0);
    double mean = (here + lengths[bin + 1]) / share - outputTokens;
    return Math.clamp(Math.round(mean), 1, bins.max() - outputTokens);
  }

  /// The smallest number of tokens within which the share `permille` ends.
  int quantileRemaining(int outputTokens, int permille) {
    if (outputTokens >= bins.max()) {
      return 1;
    }
    int next = outputTokens + 1;
    double target = target(reaching(next), permille);
    int from = bins.index(next);
    int bin = permille == MEDIAN ? walk(medians[from], target) : search(from, target);
    int low = bins.low(bin);
    double falls = reaching[bin] - reaching[bin + 1];
    double width = bins.high(bin) - low + 1;
    double into = falls > 0 ? width * (reaching[bin] - target) / falls : 1;
    int length = low + (int) Math.ceil(into - ROUNDING) - 1;
    return Math.clamp((long) length - outputTokens, 1, bins.max() - outputTokens);
  }

  /// As [#walk], for a bin that may be far.
  private int search(int from, double target) {
    int low = from;
    int high = bins.count() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (reaching[middle + 1] <= target) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
