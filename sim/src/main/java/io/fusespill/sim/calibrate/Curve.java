package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FittedSegment;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// A time that was measured for many values of one feature, as a term of few lines.
///
/// What lies between the last value of one line and the first of the next belongs to the next,
/// because kernels compute in tiles: one token more than a tile takes as long as the whole next
/// tile.
final class Curve {

  /// Lines keep this near to every measurement.
  private static final double TOLERANCE = 0.005;

  private final String name;
  private final StepFeature by;
  private final TreeMap<Long, Double> nanos;

  /// @param nanos time for each value of the feature
  Curve(String name, StepFeature by, Map<Long, Double> nanos) {
    this.name = name;
    this.by = by;
    this.nanos = new TreeMap<>(nanos);
  }

  String name() {
    return name;
  }

  long most() {
    return nanos.lastKey();
  }

  /// What was measured for the value, or for the next larger one: the tile's time.
  double measured(long value) {
    Map.Entry<Long, Double> next = nanos.ceilingEntry(value);
    return (next == null ? nanos.lastEntry() : next).getValue();
  }

  /// The whole curve.
  FittedTerm fit() {
    return fit(new ArrayList<>(nanos.keySet()));
  }

  /// Errors of a curve through every second value at the others.
  Errors heldOut() {
    List<Long> values = new ArrayList<>(nanos.keySet());
    FittedTerm half =
        fit(
            IntStream.range(0, values.size())
                .filter(i -> i % 2 == 0)
                .mapToObj(values::get)
                .toList());
    Errors errors = new Errors();
    for (int i = 1; i < values.size(); i += 2) {
      long value = values.get(i);
      errors.add(evaluate(half, value), measured(value));
    }
    return errors;
  }

  private FittedTerm fit(List<Long> values) {
    List<FittedSegment> segments = new ArrayList<>();
    int from = 0;
    while (from < values.size()) {
      int to = from + 1;
      FittedSegment line = line(values.subList(from, to), values.get(from));
      while (to < values.size()) {
        FittedSegment longer = line(values.subList(from, to + 1), values.get(to));
        if (worst(longer, values.subList(from, to + 1)) > TOLERANCE) {
          break;
        }
        line = longer;
        to++;
      }
      segments.add(
          to == values.size()
              ? new FittedSegment(FittedSegment.REST, line.interceptNanos(), line.nanosPer())
              : line);
      from = to;
    }
    return new FittedTerm(name, StepKind.ALL, by, segments);
  }

  private FittedSegment line(List<Long> values, long upTo) {
    int n = values.size();
    int[][] indices = new int[n][];
    double[][] rows = new double[n][];
    double[] y = new double[n];
    for (int i = 0; i < n; i++) {
      indices[i] = new int[] {0, 1};
      rows[i] = new double[] {1, values.get(i)};
      y[i] = measured(values.get(i));
    }
    double[] fitted = new Regression(2, indices, rows, y).fit(IntStream.range(0, n).toArray());
    return new FittedSegment(upTo, fitted[0], fitted[1] > 0 ? Map.of(by, fitted[1]) : Map.of());
  }

  private double worst(FittedSegment line, List<Long> values) {
    double worst = 0;
    for (long value : values) {
      worst = Math.max(worst, Math.abs(evaluate(line, value) / measured(value) - 1));
    }
    return worst;
  }

  private double evaluate(FittedTerm term, long value) {
    return evaluate(
        term.segments().stream()
            .filter(segment -> value <= segment.upTo())
            .findFirst()
            .orElseThrow(),
        value);
  }

  private double evaluate(FittedSegment segment, long value) {
    return segment.interceptNanos() + segment.nanosPer().getOrDefault(by, 0.0) * value;
  }
}
