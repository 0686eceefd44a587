package io.fusespill.sim.calibrate;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.StepTimeModel;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// What a policy is told of a step-time model: the coefficients of a roofline that agrees with it,
/// found by asking the model for some dozens of shapes of the sizes that steps may have.
///
/// A roofline is found again exactly, to the picosecond, from its two ends. A fitted model goes up
/// in steps, as tiles do, and its ends say nothing of what lies between: there the roofline is the
/// one whose relative errors are least in the square. What takes longer than a [StepCosts] can say
/// is believed to take the longest that it can.
public final class BelievedCosts {

  private static final int SMALL = 16;
  private static final int LARGE = 1 << 14;
  private static final int[] DECODES = {1, 4, 16, 64};
  private static final int[] CONTEXT_TOKENS = {64, 256, 1_024};
  private static final int BATCH = 64;
  private static final int KV_TOKENS = BATCH * 512;
  private static final int PROMPT_TOKENS = 1_024;
  private static final double PICOS = 1_000;

  /// A share by which a roofline may miss its own times, which are whole nanoseconds.
  private static final double EXACT = 1e-4;

  private BelievedCosts() {}

  /// @param limits of the steps
  public static StepCosts of(StepTimeModel model, EngineLimits limits) {
    Bend tokens = Bend.of(limits.maxNumBatchedTokens(), true, n -> prefill(model, n));
    double one = prefill(model, 1);
    Bend head = Bend.of(limits.maxNumSeqs(), false, n -> sampled(model, n) - one);
    double[] decode = decodes(model);
    double pair =
        (pairs(model) - prefill(model, PROMPT_TOKENS)) / StepShape.pairs(0, PROMPT_TOKENS);
    return new StepCosts(
        whole(tokens.constant()),
        whole(tokens.flat()),
        picos(tokens.steep()),
        whole(head.flat()),
        picos(head.steep()),
        picos(decode[1]),
        picos(decode[2]),
        picos(pair),
        picos(tokens.slope()));
  }

  /// The hand-off of a step, of a row, and the KV of a token.
  public static StepCosts of(HostAttentionModel model) {
    return new StepCosts(
        whole(model.handOffNanos()),
        0,
        0,
        0,
        0,
        picos(model.tokenNanos()),
        picos(model.rowNanos()),
        0,
        0);
  }

  /// `constant + max(flat, n · steep) + n · slope` in nanoseconds, for n tokens or rows, nothing of
  /// it below 0: a [StepCosts] could not say that.
  private record Bend(double constant, double flat, double steep, double slope) {

    Bend {
      constant = Math.max(0, constant);
      flat = Math.max(0, flat);
      steep = Math.max(0, steep);
      slope = Math.max(0, slope);
    }

    /// @param whole whether there are a constant and a slope besides
    static Bend of(int most, boolean whole, IntToDoubleFunction nanos) {
      int[] sizes = sizes(Math.min(most, LARGE));
      double[] measured = IntStream.of(sizes).mapToDouble(nanos).toArray();
      Bend best = ends(whole, nanos);
      double least = best.error(sizes, measured);
      if (least <= EXACT * EXACT) {
        return best;
      }
      for (int i = 1; i < sizes.length - 1; i++) {
        Bend bend = bent(sizes, measured, whole, sizes[i]);
        double error = bend.error(sizes, measured);
        if (error < least) {
          least = error;
          best = bend;
        }
      }
      return best;
    }

    /// 1, 2, 3, 4, 6, 8, 12 and so on.
    private static int[] sizes(int most) {
      IntStream.Builder sizes = IntStream.builder().add(1);
      for (int size = 2; size <= most; size *= 2) {
        sizes.add(size);
        if (size + size / 2 <= most) {
          sizes.add(size + size / 2);
        }
      }
      return sizes.build().toArray();
    }

    private static Bend ends(boolean whole, IntToDoubleFunction nanos) {
      double last = nanos.applyAsDouble(LARGE);
      double steep = (nanos.applyAsDouble(2 * LARGE) - last) / LARGE;
      double one = nanos.applyAsDouble(1);
      if (!whole) {
        return new Bend(0, one, steep, 0);
      }
      double slope = (nanos.applyAsDouble(SMALL) - one) / (SMALL - 1);
      double constant = last - steep * LARGE;
      return new Bend(constant, one - constant - slope, steep - slope, slope);
    }

    private static Bend bent(int[] sizes, double[] measured, boolean whole, double ridge) {
      double[][] values = new double[sizes.length][];
      for (int i = 0; i < sizes.length; i++) {
        double bend = Math.max(1, sizes[i] / ridge);
        values[i] = whole ? new double[] {bend, 1, sizes[i]} : new double[] {bend};
      }
      double[] found = solve(values, measured);
      return whole
          ? new Bend(found[1], found[0], found[0] / ridge, found[2])
          : new Bend(0, found[0], found[0] / ridge, 0);
    }

    private double error(int[] sizes, double[] measured) {
      return BelievedCosts.error(
          i -> constant + Math.max(flat, sizes[i] * steep) + sizes[i] * slope, measured);
    }
  }

  /// Nanoseconds of a step besides its decodes, for a token of their KV, and for each of them.
  private static double[] decodes(StepTimeModel model) {
    int rows = DECODES.length * CONTEXT_TOKENS.length;
    double[][] values = new double[rows][];
    double[] measured = new double[rows];
    int row = 0;
    for (int decodes : DECODES) {
      for (int context : CONTEXT_TOKENS) {
        int tokens = decodes * context;
        values[row] = new double[] {1, tokens, decodes};
        measured[row++] = decode(model, decodes, tokens);
      }
    }
    double token =
        (decode(model, BATCH, 2 * KV_TOKENS) - decode(model, BATCH, KV_TOKENS)) / KV_TOKENS;
    double decode = (decode(model, BATCH, KV_TOKENS) - decode(model, 1, KV_TOKENS)) / (BATCH - 1);
    double[] ends = {decode(model, 1, KV_TOKENS) - KV_TOKENS * token - decode, token, decode};
    double missed = error(i -> ends[0] + ends[1] * values[i][1] + ends[2] * values[i][2], measured);
    return missed <= EXACT * EXACT ? ends : solve(values, measured);
  }

  /// The mean of the squares of what is missed in proportion.
  private static double error(IntToDoubleFunction predicted, double[] measured) {
    double sum = 0;
    for (int i = 0; i < measured.length; i++) {
      double miss = (predicted.applyAsDouble(i) - measured[i]) / Math.max(1, measured[i]);
      sum += miss * miss;
    }
    return sum / measured.length;
  }

  /// The coefficients of at least 0 whose relative errors are least in the square.
  private static double[] solve(double[][] values, double[] measured) {
    int[] rows = IntStream.range(0, measured.length).toArray();
    int[][] indices = new int[rows.length][];
    double[] weights = new double[rows.length];
    for (int i : rows) {
      indices[i] = IntStream.range(0, values[i].length).toArray();
      weights[i] = 1 / Math.max(1, measured[i] * measured[i]);
    }
    return new Regression(values[0].length, indices, values, measured).solve(rows, weights);
  }

  private static long whole(double nanos) {
    return Math.clamp(Math.round(nanos), 0, StepCosts.TERM_MAX);
  }

  private static long picos(double nanos) {
    return whole(nanos * PICOS);
  }

  private static double prefill(StepTimeModel model, int tokens) {
    return (double) model.nanos(new StepShape(0, 0, 1, tokens, 0, tokens, 0));
  }

  private static double sampled(StepTimeModel model, int rows) {
    return (double) model.nanos(new StepShape(0, 0, 1, 1, 0, 1, rows));
  }

  private static double decode(StepTimeModel model, int decodes, int tokens) {
    return (double) model.nanos(new StepShape(decodes, tokens, 0, 0, 0, BATCH, 1));
  }

  private static double pairs(StepTimeModel model) {
    return (double)
        model.nanos(
            new StepShape(
                0, 0, 1, PROMPT_TOKENS, StepShape.pairs(0, PROMPT_TOKENS), PROMPT_TOKENS, 0));
  }
}
