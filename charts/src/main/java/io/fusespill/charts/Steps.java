package io.fusespill.charts;

import io.fusespill.charts.Layer.Scale;
import java.awt.geom.Path2D;

/// Bins of time with a value each, for areas with steps.
final class Steps {

  private static final double NANOS = 1e9;

  /// What is known of a bin.
  interface Bins {
    int count();

    long fromNanos(int bin);

    long untilNanos(int bin);
  }

  /// A value of a bin.
  @FunctionalInterface
  interface Value {
    double of(int bin);
  }

  private final Bins bins;
  private final int stride;

  /// Merges so many bins that one is no narrower than half a point.
  Steps(Bins bins, Style style) {
    this.bins = bins;
    this.stride = Math.max(1, (int) Math.ceil(bins.count() / (2 * style.points())));
  }

  int count() {
    return (bins.count() + stride - 1) / stride;
  }

  double fromSeconds(int step) {
    return bins.fromNanos(step * stride) / NANOS;
  }

  double untilSeconds(int step) {
    return bins.untilNanos(last(step)) / NANOS;
  }

  private int last(int step) {
    return Math.min(bins.count(), (step + 1) * stride) - 1;
  }

  /// Means over time.
  double[] means(Value value) {
    double[] means = new double[count()];
    for (int step = 0; step < means.length; step++) {
      double sum = 0;
      double nanos = 0;
      for (int bin = step * stride; bin <= last(step); bin++) {
        double width = (double) bins.untilNanos(bin) - bins.fromNanos(bin);
        sum += value.of(bin) * width;
        nanos += width;
      }
      means[step] = nanos == 0 ? 0 : sum / nanos;
    }
    return means;
  }

  double[] sums(Value value) {
    double[] sums = new double[count()];
    for (int step = 0; step < sums.length; step++) {
      for (int bin = step * stride; bin <= last(step); bin++) {
        sums[step] += value.of(bin);
      }
    }
    return sums;
  }

  /// The area between two curves of steps.
  Path2D between(Scale scale, double[] below, double[] above) {
    Path2D path = new Path2D.Double();
    if (above.length == 0) {
      return path;
    }
    path.moveTo(scale.x(fromSeconds(0)), scale.y(above[0]));
    for (int step = 0; step < above.length; step++) {
      if (step == 0 || above[step] != above[step - 1]) {
        path.lineTo(scale.x(fromSeconds(step)), scale.y(above[step]));
      }
      if (step == above.length - 1 || above[step] != above[step + 1]) {
        path.lineTo(scale.x(untilSeconds(step)), scale.y(above[step]));
      }
    }
    for (int step = above.length - 1; step >= 0; step--) {
      if (step == above.length - 1 || below[step] != below[step + 1]) {
        path.lineTo(scale.x(untilSeconds(step)), scale.y(below[step]));
      }
      if (step == 0 || below[step] != below[step - 1]) {
        path.lineTo(scale.x(fromSeconds(step)), scale.y(below[step]));
      }
    }
    path.closePath();
    return path;
  }
}
