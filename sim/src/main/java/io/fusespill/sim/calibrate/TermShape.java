package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FittedSegment;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepKind;
import io.fusespill.sim.cost.StepShape;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// A term before its coefficients are known.
///
/// @param ends largest value of `by` of each segment but the last, ascending
/// @param features whose coefficients each segment has, besides an intercept
/// @param intercept whether segments have one
record TermShape(
    String name,
    StepKind steps,
    StepFeature by,
    List<Long> ends,
    List<StepFeature> features,
    boolean intercept) {

  TermShape {
    ends = List.copyOf(ends);
    features = List.copyOf(features);
  }

  int segments() {
    return ends.size() + 1;
  }

  /// Columns of one segment.
  int width() {
    return features.size() + (intercept ? 1 : 0);
  }

  int columns() {
    return segments() * width();
  }

  int segment(StepShape shape) {
    long value = by.of(shape);
    int segment = 0;
    while (segment < ends.size() && value > ends.get(segment)) {
      segment++;
    }
    return segment;
  }

  /// The same with another end of a segment.
  TermShape splitAt(long end) {
    List<Long> more = new ArrayList<>(ends);
    more.add(end);
    more.sort(Long::compare);
    return new TermShape(name, steps, by, more, features, intercept);
  }

  /// The same for other steps.
  TermShape of(StepKind kind) {
    return new TermShape(
        kind == StepKind.ALL ? name : name + ", " + kind.label() + " steps",
        kind,
        by,
        ends,
        features,
        intercept);
  }

  /// The same for the steps of a fitted term, broken where that is, as far as at least `least` of
  /// the samples lie on each side of a break.
  TermShape brokenAs(FittedTerm term, List<StepSample> samples, int least) {
    TermShape shape = of(term.steps());
    List<Long> kept = new ArrayList<>();
    long below = 0;
    for (FittedSegment segment : term.segments()) {
      long end = segment.upTo();
      if (end != FittedSegment.REST
          && shape.between(below, end, samples) >= least
          && shape.between(end, Long.MAX_VALUE, samples) >= least) {
        kept.add(end);
        below = end;
      }
    }
    return new TermShape(shape.name(), shape.steps(), by, kept, features, intercept);
  }

  /// Samples with the term whose feature is above one value and at most another.
  private long between(long above, long most, List<StepSample> samples) {
    return samples.stream()
        .filter(sample -> steps.includes(sample.shape()))
        .mapToLong(sample -> by.of(sample.shape()))
        .filter(value -> value > above && value <= most)
        .count();
  }

  /// The term with its coefficients, which begin at `from`.
  FittedTerm fitted(double[] coefficients, int from) {
    List<FittedSegment> fitted = new ArrayList<>();
    for (int segment = 0; segment < segments(); segment++) {
      int first = from + segment * width();
      Map<StepFeature, Double> nanosPer = new EnumMap<>(StepFeature.class);
      for (int i = 0; i < features.size(); i++) {
        double nanos = coefficients[first + i];
        if (nanos > 0) {
          nanosPer.put(features.get(i), nanos);
        }
      }
      fitted.add(
          new FittedSegment(
              segment < ends.size() ? ends.get(segment) : FittedSegment.REST,
              intercept ? coefficients[first + features.size()] : 0,
              nanosPer));
    }
    return new FittedTerm(name, steps, by, fitted);
  }
}
