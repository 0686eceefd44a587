package io.fusespill.replay.whatif;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// One figure of two runs, side by side.
///
/// @param figure its name in a report
public record Difference(String figure, double baseline, double alternative) {

  private static final double PERCENT = 100;

  /// The figures that both reports have as numbers, in the order of the first.
  public static List<Difference> of(Map<String, Object> baseline, Map<String, Object> alternative) {
    List<Difference> differences = new ArrayList<>();
    baseline.forEach((figure, value) -> {
      if (value instanceof Number number && alternative.get(figure) instanceof Number other) {
        differences.add(new Difference(figure, number.doubleValue(), other.doubleValue()));
      }
    });
    return differences;
  }

  /// What the alternative has more; below 0 where it has less.
  public double absolute() {
    return alternative - baseline;
  }

  /// The same in per cent of the baseline; NaN where that is 0.
  public double percent() {
    return baseline == 0 ? Double.NaN : PERCENT * absolute() / baseline;
  }
}
