package io.fusespill.sim.cost;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Step time by a calibrated fit: a sum of terms, each linear in stretches.
///
/// Outside the measured ranges the lines are continued and the evaluation counted: a run reports
/// [#extrapolations]. The counters make it single-threaded; each run has its own model over a
/// shared [FittedPlace].
public final class FittedModel implements StepTimeModel {

  private static final StepFeature[] FEATURES = StepFeature.values();

  /// A term in arrays.
  private static final class Term {
    final StepKind steps;
    final StepFeature by;
    final long[] upTo;
    final double[] intercepts;
    final double[][] coefficients;

    Term(FittedTerm term) {
      List<FittedSegment> segments = term.segments();
      steps = term.steps();
      by = term.by();
      upTo = segments.stream().mapToLong(FittedSegment::upTo).toArray();
      intercepts = segments.stream().mapToDouble(FittedSegment::interceptNanos).toArray();
      coefficients =
          segments.stream().map(each -> coefficients(each.nanosPer())).toArray(double[][]::new);
    }

    int segment(StepShape shape) {
      long value = by.of(shape);
      int low = 0;
      int high = upTo.length - 1;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (value <= upTo[middle]) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      return low;
    }
  }

  private final List<Term> terms;
  private final @Nullable FittedRemote remote;
  private final boolean padded;
  private final long[] min = new long[FEATURES.length];
  private final long[] max = new long[FEATURES.length];
  private final long[] outside = new long[FEATURES.length];
  private long extrapolations;

  public FittedModel(FittedPlace place) {
    this(place.terms(), place.remote(), place.ranges(), place.padded());
  }

  /// A model of steps that take the time of their padding.
  public FittedModel(
      List<FittedTerm> terms,
      @Nullable FittedRemote remote,
      Map<StepFeature, FeatureRange> ranges) {
    this(terms, remote, ranges, true);
  }

  private FittedModel(
      List<FittedTerm> terms,
      @Nullable FittedRemote remote,
      Map<StepFeature, FeatureRange> ranges,
      boolean padded) {
    this.padded = padded;
    this.terms = terms.stream().map(Term::new).toList();
    this.remote = remote;
    FeatureRange all = new FeatureRange(0, Long.MAX_VALUE);
    for (StepFeature feature : FEATURES) {
      FeatureRange range = ranges.getOrDefault(feature, all);
      min[feature.ordinal()] = range.min();
      max[feature.ordinal()] = range.max();
    }
  }

  @Override
  public long nanos(StepShape planned) {
    StepShape shape = computed(planned);
    count(shape);
    return evaluate(shape);
  }

  /// Where attention elsewhere was measured, what it takes is part of the fit, and `remoteNanos`,
  /// which is computed, counts for nothing. Where it was not, the step is an extrapolation.
  @Override
  public long nanos(StepShape planned, long remoteNanos) {
    StepShape shape = computed(planned);
    count(shape);
    long own = evaluate(shape);
    return remote == null
        ? own + Math.max(0, remoteNanos - (long) part(shape, StepFeature.DECODE_CONTEXT_TOKENS))
        : own;
  }

  private StepShape computed(StepShape planned) {
    return padded ? planned : planned.withoutPadding();
  }

  private void count(StepShape shape) {
    boolean covered = remote != null || shape.remoteRows() == 0;
    for (StepFeature feature : FEATURES) {
      if (!covers(shape, feature)) {
        outside[feature.ordinal()]++;
        covered = false;
      }
    }
    extrapolations += covered ? 0 : 1;
  }

  /// The parts go by feature: context tokens, and what the longest has above the mean, to KV, pairs
  /// to prefill attention, sampled tokens to the head, decodes and prefill tokens to their linear
  /// layers, computed tokens to activations, attention elsewhere to communication, and the
  /// intercepts, in which a fit cannot tell weights from launches, to overhead. Does not count as
  /// an extrapolation; says so in the result.
  @Override
  public StepCost breakdown(StepShape planned) {
    StepShape shape = computed(planned);
    double read = part(shape, StepFeature.DECODE_CONTEXT_TOKENS);
    long kv =
        (long)
            (read
                + part(shape, StepFeature.DECODE_CONTEXT_EXCESS)
                + part(shape, StepFeature.DECODE_CONTEXT_PADDING));
    long prefillLinear = (long) part(shape, StepFeature.PREFILL_TOKENS);
    long decodeLinear = (long) part(shape, StepFeature.DECODES);
    long attention = (long) part(shape, StepFeature.PREFILL_CONTEXT_PAIRS);
    long activations = (long) part(shape, StepFeature.COMPUTED_TOKENS);
    long head = (long) part(shape, StepFeature.SAMPLED_TOKENS);
    long elsewhere = remote == null ? 0 : (long) remote.nanos(shape, read);
    long rest =
        evaluate(shape)
            - kv
            - prefillLinear
            - decodeLinear
            - attention
            - activations
            - head
            - elsewhere;
    return new StepCost(
        0,
        kv,
        prefillLinear,
        decodeLinear,
        attention,
        activations,
        head,
        elsewhere,
        rest,
        !covers(shape));
  }

  /// Times that [#nanos] was asked for a shape outside the measured ranges.
  @Override
  public long extrapolations() {
    return extrapolations;
  }

  /// The same by feature; one that was never outside is absent.
  public Map<StepFeature, Long> outside() {
    Map<StepFeature, Long> times = new EnumMap<>(StepFeature.class);
    for (StepFeature feature : FEATURES) {
      if (outside[feature.ordinal()] > 0) {
        times.put(feature, outside[feature.ordinal()]);
      }
    }
    return Collections.unmodifiableMap(times);
  }

  /// Whether every feature of the shape lies in its measured range.
  public boolean covers(StepShape planned) {
    StepShape shape = computed(planned);
    for (StepFeature feature : FEATURES) {
      if (!covers(shape, feature)) {
        return false;
      }
    }
    return remote != null || shape.remoteRows() == 0;
  }

  private boolean covers(StepShape shape, StepFeature feature) {
    long value = feature.of(shape);
    return value >= min[feature.ordinal()] && value <= max[feature.ordinal()];
  }

  private long evaluate(StepShape shape) {
    double total = 0;
    double kv = 0;
    for (Term term : terms) {
      if (term.steps.includes(shape)) {
        int segment = term.segment(shape);
        double[] c = term.coefficients[segment];
        total += term.intercepts[segment];
        for (StepFeature feature : FEATURES) {
          total += c[feature.ordinal()] * feature.of(shape);
        }
        kv += c[StepFeature.DECODE_CONTEXT_TOKENS.ordinal()] * shape.decodeContextTokens();
      }
    }
    return Math.max(1, (long) (remote == null ? total : total + remote.nanos(shape, kv)));
  }

  private double part(StepShape shape, StepFeature feature) {
    double nanos = 0;
    for (Term term : terms) {
      if (term.steps.includes(shape)) {
        nanos += term.coefficients[term.segment(shape)][feature.ordinal()] * feature.of(shape);
      }
    }
    return nanos;
  }

  private static double[] coefficients(Map<StepFeature, Double> nanosPer) {
    double[] coefficients = new double[FEATURES.length];
    nanosPer.forEach((feature, nanos) -> coefficients[feature.ordinal()] = nanos);
    return coefficients;
  }
}
