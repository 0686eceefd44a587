package io.fusespill.sim.cost;

import io.fusespill.engine.config.StepCosts;

/// What a policy is told of a step-time model: the coefficients of a roofline that agrees with it,
/// found by asking the model for a dozen shapes. A roofline is found again exactly, to the
/// picosecond; a fitted model is met at small and at large batches and bent between. What takes
/// longer than a [StepCosts] can say is believed to take the longest that it can.
public final class BelievedCosts {

  private static final int SMALL = 16;
  private static final int LARGE = 1 << 14;
  private static final int BATCH = 64;
  private static final long CONTEXT = 64 * 512L;
  private static final long PAIRS = 1 << 24;
  private static final double PICOS = 1_000;

  private BelievedCosts() {}

  public static StepCosts of(StepTimeModel model) {
    double tokens = slope(prefill(model, 1), prefill(model, SMALL), SMALL - 1);
    double linear = slope(prefill(model, LARGE), prefill(model, 2 * LARGE), LARGE) - tokens;
    double overhead = prefill(model, LARGE) - (linear + tokens) * LARGE;
    double weights = prefill(model, 1) - overhead - tokens;
    double head = sampled(model, 1) - prefill(model, 1);
    double heads = slope(sampled(model, LARGE), sampled(model, 2 * LARGE), LARGE);
    double context =
        slope(decode(model, BATCH, CONTEXT), decode(model, BATCH, 2 * CONTEXT), CONTEXT);
    double decode = slope(decode(model, 1, CONTEXT), decode(model, BATCH, CONTEXT), BATCH - 1);
    double pair = slope(prefill(model, 1), pairs(model), PAIRS);
    return new StepCosts(
        whole(overhead),
        whole(weights),
        picos(linear),
        whole(head),
        picos(heads),
        picos(context),
        picos(decode),
        picos(pair),
        picos(tokens));
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

  private static double slope(double from, double to, double units) {
    return (to - from) / units;
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

  private static double pairs(StepTimeModel model) {
    return (double) model.nanos(new StepShape(0, 0, 1, 1, PAIRS, 1, 0));
  }

  private static double decode(StepTimeModel model, int decodes, long context) {
    return (double) model.nanos(new StepShape(decodes, context, 0, 0, 0, BATCH, 1));
  }
}
