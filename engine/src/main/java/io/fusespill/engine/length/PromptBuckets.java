package io.fusespill.engine.length;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Survival curves by prompt length: one for all prompts, below it one for each octave, each
/// quarter and each sixteenth of one. A curve is shrunk towards the one above it, in which its own
/// sequences count too.
///
/// How far is the credibility of Bühlmann and Straub ("Glaubwürdigkeit für Schadensätze", 1970):
/// the curve above counts as `k` = variance within buckets / variance between buckets sequences,
/// taken from logarithms of the lengths, one `k` a level. Where the prompt's length tells nothing,
/// `k` is large and all buckets look alike; where it tells much, a few sequences make a bucket
/// stand alone.
final class PromptBuckets {

  /// Right shifts from a sixteenth of an octave to the bucket of each level, from the coarsest.
  private static final int[] SHIFTS = {4, 2, 0};

  private static final double PRIOR_SEQUENCES = 16;
  private static final double DEFAULT_WEIGHT = 16;
  private static final double MIN_WEIGHT = 1;
  private static final double MAX_WEIGHT = 4_096;

  /// Degrees of freedom within buckets from which a level's own weight is taken.
  private static final int MIN_FREEDOM = 16;

  private static final class Bucket {
    final LengthCounts counts;
    @Nullable SurvivalCurve curve;
    int version = -1;

    Bucket(LogBins lengths) {
      counts = new LengthCounts(lengths);
    }
  }

  private final LogBins prompts = new LogBins(16, LengthPredictor.MAX_TOKENS);
  private final LogBins lengths;
  private final SurvivalCurve prior;
  private final Bucket all;
  private final List<@Nullable Bucket[]> levels = new ArrayList<>();
  private final double[] weights = new double[SHIFTS.length];
  private int version;

  PromptBuckets(LogBins lengths) {
    this.lengths = lengths;
    this.prior = SurvivalCurve.prior(lengths);
    this.all = new Bucket(lengths);
    for (int level = 0; level < SHIFTS.length; level++) {
      weights[level] = DEFAULT_WEIGHT;
      levels.add(new @Nullable Bucket[(prompts.count() >> SHIFTS[level]) + 1]);
    }
  }

  /// Counts an ended sequence; the curves learn of it with [#refresh].
  void add(int promptTokens, int outputTokens, boolean censored) {
    all.counts.add(outputTokens, censored);
    int sixteenth = prompts.index(promptTokens);
    for (int level = 0; level < SHIFTS.length; level++) {
      @Nullable Bucket[] buckets = levels.get(level);
      int index = sixteenth >> SHIFTS[level];
      Bucket bucket = buckets[index];
      if (bucket == null) {
        bucket = new Bucket(lengths);
        buckets[index] = bucket;
      }
      bucket.counts.add(outputTokens, censored);
    }
  }

  /// Makes the curves those of all sequences counted so far, each when it is next asked for.
  void refresh() {
    version++;
    for (int level = 0; level < SHIFTS.length; level++) {
      weights[level] = weight(level);
    }
  }

  /// The finest curve there is for this prompt length.
  SurvivalCurve curve(int promptTokens) {
    int sixteenth = prompts.index(promptTokens);
    for (int level = SHIFTS.length - 1; level >= 0; level--) {
      if (levels.get(level)[sixteenth >> SHIFTS[level]] != null) {
        return curve(sixteenth, level);
      }
    }
    return curve(sixteenth, -1);
  }

  /// @param level -1 is that of all prompts
  private SurvivalCurve curve(int sixteenth, int level) {
    Bucket bucket = level < 0 ? all : levels.get(level)[sixteenth >> SHIFTS[level]];
    if (bucket == null) {
      throw new IllegalStateException("no bucket %d at level %d".formatted(sixteenth, level));
    }
    SurvivalCurve curve = bucket.curve;
    if (curve == null || bucket.version != version) {
      curve =
          level < 0
              ? SurvivalCurve.of(bucket.counts, prior, PRIOR_SEQUENCES)
              : SurvivalCurve.of(bucket.counts, curve(sixteenth, level - 1), weights[level]);
      bucket.curve = curve;
      bucket.version = version;
    }
    return curve;
  }

  /// Variance of the log lengths within the level's buckets over their variance around the buckets
  /// above.
  private double weight(int level) {
    double squares = 0;
    double aboveSquares = 0;
    double spread = 0;
    int buckets = 0;
    int above = 0;
    @Nullable Bucket[] mine = levels.get(level);
    int step = level == 0 ? mine.length : 1 << (SHIFTS[level - 1] - SHIFTS[level]);
    for (int first = 0; first < mine.length; first += step) {
      double sum = 0;
      double count = 0;
      double countSquares = 0;
      for (int i = first; i < Math.min(first + step, mine.length); i++) {
        Bucket bucket = mine[i];
        if (bucket != null && bucket.counts.endedTotal() > 0) {
          double n = bucket.counts.endedTotal();
          squares += (double) bucket.counts.logSum() * bucket.counts.logSum() / n;
          sum += bucket.counts.logSum();
          count += n;
          countSquares += n * n;
          buckets++;
        }
      }
      if (count > 0) {
        aboveSquares += sum * sum / count;
        spread += count - countSquares / count;
        above++;
      }
    }
    int freedom = all.counts.endedTotal() - buckets;
    if (freedom < MIN_FREEDOM || spread <= 0) {
      return DEFAULT_WEIGHT;
    }
    double within = (all.counts.logSquareSum() - squares) / freedom;
    double between = (squares - aboveSquares - (buckets - above) * within) / spread;
    return between <= 0 ? MAX_WEIGHT : Math.clamp(within / between, MIN_WEIGHT, MAX_WEIGHT);
  }
}
