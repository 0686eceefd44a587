package io.fusespill.host.sampling;

import io.fusespill.host.random.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Picks next tokens from a model's logits, as vLLM does: penalties, then the mask of `min_tokens`,
/// then temperature, `min_p`, `top_k` and `top_p`, then a draw in proportion to what is left.
///
/// The draw depends on the seed, the sample and the place in its output alone: the same logits give
/// the same token in any batch and after any interruption. Of tokens with equal logits, `top_k` and
/// `top_p` keep the lower ids first. One sampler a thread; apart from log-probabilities it
/// allocates nothing once it is made.
public final class Sampler {

  /// Why [#next] picks no token.
  public static final String NO_TOKEN = "its logits have a NaN or no finite maximum";

  private static final int FIRST_NUCLEUS = 64;
  private static final int INSERTION_MAX = 24;

  private final int vocabulary;
  private final float[] work;
  private final float[] weights;

  // A token in one number; ascending is by falling logit, then by rising id.
  private final long[] ranks;

  /// @param vocabulary numbers in a row of logits
  public Sampler(int vocabulary) {
    if (vocabulary < 1) {
      throw new IllegalArgumentException(
          "vocabulary of %d tokens; legal: from 1".formatted(vocabulary));
    }
    this.vocabulary = vocabulary;
    work = new float[vocabulary];
    weights = new float[vocabulary];
    ranks = new long[vocabulary];
  }

  /// Picks a token.
  ///
  /// @param logits of all rows; they are not changed
  /// @param offset where this sequence's row begins
  /// @param counts tokens of prompt and output so far
  /// @param eosIds ids that end a sequence of the model
  /// @param sample index among the request's samples
  /// @param position output tokens before this one
  /// @return -1 if the logits have no finite maximum, or one is NaN
  /// @throws IllegalArgumentException if something is random and the parameters have no seed
  public int next(
      float[] logits,
      int offset,
      SamplingParams params,
      TokenCounts counts,
      List<Integer> eosIds,
      int sample,
      int position) {
    System.arraycopy(logits, offset, work, 0, vocabulary);
    if (params.penalises()) {
      counts.penalise(work, params);
    }
    if (position < params.minTokens()) {
      mask(params.stopTokenIds());
      mask(eosIds);
    }
    int best = best();
    if (best < 0 || params.greedy()) {
      return best;
    }
    if (params.seed().isEmpty()) {
      throw new IllegalArgumentException(
          "no seed for temperature %s; give one with withSeed".formatted(params.temperature()));
    }
    Exponential.weigh(work, 0, work[best], (float) (1 / params.temperature()), weights);
    long last = cut(params, work[best]);
    long key = CounterRandom.key(params.seed().getAsLong(), sample);
    return draw(last, CounterRandom.uniform(key, position));
  }

  private void mask(List<Integer> ids) {
    for (int i = 0; i < ids.size(); i++) {
      int id = ids.get(i);
      if (id < vocabulary) {
        work[id] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  /// The likeliest token, of two alike the lower id; -1 where there is none.
  private int best() {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < vocabulary; i++) {
      max = Math.max(max, work[i]);
    }
    if (!Float.isFinite(max)) {
      return -1;
    }
    int best = 0;
    while (work[best] != max) {
      best++;
    }
    return best;
  }

  /// The rank of the last token that is kept.
  private long cut(SamplingParams params, float max) {
    boolean topK = params.topK() > 0 && params.topK() < vocabulary;
    if (!topK && params.topP() == 1) {
      return lastWithin(params, max);
    }
    int kept = 0;
    long within = lastWithin(params, max);
    for (int i = 0; i < vocabulary; i++) {
      long rank = rank(work[i], i);
      if (rank <= within) {
        ranks[kept++] = rank;
      }
    }
    if (topK && params.topK() < kept) {
      select(0, kept, params.topK());
      kept = params.topK();
    }
    if (params.topP() < 1) {
      kept = nucleus(kept, params.topP());
    }
    long last = ranks[0];
    for (int i = 1; i < kept; i++) {
      last = Math.max(last, ranks[i]);
    }
    return last;
  }

  /// The last rank that `min_p` keeps.
  private static long lastWithin(SamplingParams params, float max) {
    double log = params.minP() > 0 ? StrictMath.log(params.minP()) : Exponential.LEAST;
    double least = max + Math.max(log, Exponential.LEAST) * params.temperature();
    // Rounded up: a token below the limit must not slip in.
    float limit = (float) least;
    if (limit < least) {
      limit = Math.nextUp(limit);
    }
    return rank(Math.min(limit, max), -1);
  }

  /// Puts the fewest first ranks whose probability reaches `top_p` to the front of `kept` ones.
  ///
  /// Sorts only as much as is needed: 64 ranks, then four times as many.
  private int nucleus(int kept, double topP) {
    double total = 0;
    for (int i = 0; i < kept; i++) {
      total += weights[token(ranks[i])];
    }
    double wanted = topP * total;
    double mass = 0;
    int sorted = 0;
    int chunk = FIRST_NUCLEUS;
    while (sorted < kept) {
      int end = Math.min(kept, sorted + chunk);
      if (end < kept) {
        select(sorted, kept, end - sorted);
      }
      sort(sorted, end);
      for (int i = sorted; i < end; i++) {
        mass += weights[token(ranks[i])];
        if (mass >= wanted) {
          return i + 1;
        }
      }
      sorted = end;
      chunk *= 4;
    }
    return kept;
  }

  private int draw(long last, double uniform) {
    double total = 0;
    for (int i = 0; i < vocabulary; i++) {
      if (rank(work[i], i) > last) {
        weights[i] = 0;
      }
      total += weights[i];
    }
    double left = uniform * total;
    int picked = 0;
    for (int i = 0; i < vocabulary; i++) {
      if (weights[i] > 0) {
        picked = i;
        left -= weights[i];
        if (left < 0) {
          break;
        }
      }
    }
    return picked;
  }

  private static long rank(float logit, int token) {
    int bits = Float.floatToIntBits(logit + 0f);
    int rising = bits ^ (bits >> 31 | Integer.MIN_VALUE);
    return (long) (~rising ^ Integer.MIN_VALUE) << 32 | (token & 0xffff_ffffL);
  }

  private static int token(long rank) {
    return (int) rank;
  }

  /// Sorts `ranks[from, to)`. That of the JDK makes an array at each division, unless the compiler
  /// happens to do without.
  private void sort(int from, int to) {
    if (to - from > INSERTION_MAX) {
      int middle = (from + to) >>> 1;
      select(from, to, middle - from);
      sort(from, middle);
      sort(middle, to);
      return;
    }
    for (int i = from + 1; i < to; i++) {
      long rank = ranks[i];
      int j = i - 1;
      while (j >= from && ranks[j] > rank) {
        ranks[j + 1] = ranks[j];
        j--;
      }
      ranks[j + 1] = rank;
    }
  }

  /// Puts the `count` first of `ranks[from, to)` to its front, in any order: quickselect.
  private void select(int from, int to, int count) {
    int low = from;
    int high = to - 1;
    int target = from + count - 1;
    while (low < high) {
      long pivot = medianOfThree(low, high);
      int i = low;
      int j = high;
      while (i <= j) {
        while (ranks[i] < pivot) {
          i++;
        }
        while (ranks[j] > pivot) {
          j--;
        }
        if (i <= j) {
          long swapped = ranks[i];
          ranks[i++] = ranks[j];
          ranks[j--] = swapped;
        }
      }
      if (target <= j) {
        high = j;
      } else if (target >= i) {
        low = i;
      } else {
        return;
      }
    }
  }

  private long medianOfThree(int low, int high) {
    long a = ranks[low];
    long b = ranks[(low + high) >>> 1];
    long c = ranks[high];
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }

  /// Log-probabilities of a token and of the `count` likeliest ones.
  public TokenLogprobs logprobs(float[] logits, int offset, int token, int count) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < vocabulary; i++) {
      max = Math.max(max, logits[offset + i]);
    }
    Exponential.weigh(logits, offset, max, 1, weights);
    double total = 0;
    int better = 0;
    float picked = logits[offset + token];
    for (int i = 0; i < vocabulary; i++) {
      float logit = logits[offset + i];
      total += weights[i];
      ranks[i] = rank(logit, i);
      if (logit > picked) {
        better++;
      }
    }
    double normaliser = max + StrictMath.log(total);
    int tops = Math.min(count, vocabulary);
    List<TokenLogprobs.Top> top = new ArrayList<>(tops);
    if (tops > 0) {
      select(0, vocabulary, tops);
      Arrays.sort(ranks, 0, tops);
    }
    for (int i = 0; i < tops; i++) {
      int id = token(ranks[i]);
      top.add(new TokenLogprobs.Top(id, (float) (logits[offset + id] - normaliser)));
    }
    return new TokenLogprobs(token, (float) (picked - normaliser), better + 1, top);
  }
}
