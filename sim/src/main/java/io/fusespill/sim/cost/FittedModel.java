package io.fusespill.sim.cost;

import java.util.List;
import java.util.Map;

/// Step time by a calibrated linear fit, piecewise by the number of decodes.
///
/// Outside the measured ranges the line is continued and the evaluation counted: a run reports
/// [#extrapolations]. The counter makes it single-threaded; each run has its own model over a
/// shared [FittedProfile].
public final class FittedModel implements StepTimeModel {

  private static final StepFeature[] FEATURES = StepFeature.values();

  private final int[] decodesMax;
  private final double[] intercepts;
  private final double[][] coefficients;
  private final long[] min = new long[FEATURES.length];
  private final long[] max = new long[FEATURES.length];
  private long extrapolations;

  public FittedModel(FittedProfile profile) {
    List<FittedSegment> segments = profile.segments();
    this.decodesMax = segments.stream().mapToInt(FittedSegment::decodesMax).toArray();
    this.intercepts = segments.stream().mapToDouble(FittedSegment::interceptNanos).toArray();
    this.coefficients =
        segments.stream().map(s -> coefficients(s.nanosPer())).toArray(double[][]::new);
    FeatureRange all = new FeatureRange(0, Long.MAX_VALUE);
    for (StepFeature feature : FEATURES) {
      FeatureRange range = profile.ranges().getOrDefault(feature, all);
      min[feature.ordinal()] = range.min();
      max[feature.ordinal()] = range.max();
    }
  }

  @Override
  public long nanos(StepShape shape) {
    if (!covers(shape)) {
      extrapolations++;
    }
    return evaluate(shape);
  }

  /// The parts go by feature: context tokens to KV, pairs to prefill attention, sampled tokens to
  /// the head, decodes and prefill tokens to their linear layers, computed tokens to activations,
  /// and the intercept, in which a fit cannot tell weights from launches, to overhead. Does not
  /// count as an extrapolation; says so in the result.
  @Override
  public StepCost breakdown(StepShape shape) {
    double[] c = coefficients[segment(shape)];
    long kv = part(c, shape, StepFeature.DECODE_CONTEXT_TOKENS);
    long prefillLinear = part(c, shape, StepFeature.PREFILL_TOKENS);
    long decodeLinear = part(c, shape, StepFeature.DECODES);
    long attention = part(c, shape, StepFeature.PREFILL_CONTEXT_PAIRS);
    long activations = part(c, shape, StepFeature.COMPUTED_TOKENS);
    long head = part(c, shape, StepFeature.SAMPLED_TOKENS);
    long rest =
        evaluate(shape) - kv - prefillLinear - decodeLinear - attention - activations - head;
    return new StepCost(
        0, kv, prefillLinear, decodeLinear, attention, activations, head, 0, rest, !covers(shape));
  }

  /// Times that [#nanos] was asked for a shape outside the measured ranges.
  @Override
  public long extrapolations() {
    return extrapolations;
  }

  /// Whether every feature of the shape lies in its measured range.
  public boolean covers(StepShape shape) {
    for (StepFeature feature : FEATURES) {
      long value = feature.of(shape);
      if (value < min[feature.ordinal()] || value > max[feature.ordinal()]) {
        return false;
      }
    }
    return true;
  }

  private long evaluate(StepShape shape) {
    int segment = segment(shape);
    double[] c = coefficients[segment];
    double total = intercepts[segment];
    for (StepFeature feature : FEATURES) {
      total += c[feature.ordinal()] * feature.of(shape);
    }
    return Math.max(1, (long) total);
  }

  private int segment(StepShape shape) {
    int segment = 0;
    while (shape.decodes() > decodesMax[segment]) {
      segment++;
    }
    return segment;
  }

  private static long part(double[] coefficients, StepShape shape, StepFeature feature) {
    return (long) (coefficients[feature.ordinal()] * feature.of(shape));
  }

  private static double[] coefficients(Map<StepFeature, Double> nanosPer) {
    double[] coefficients = new double[FEATURES.length];
    nanosPer.forEach((feature, nanos) -> coefficients[feature.ordinal()] = nanos);
    return coefficients;
  }
}
