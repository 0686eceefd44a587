package io.fusespill.replay.evaluate;

import java.util.List;

/// A figure over several seeds.
///
/// @param spread standard deviation of the sample; 0 for a single one
public record Statistic(double mean, double spread, int count) {

  static Statistic of(List<Double> values) {
    double mean = values.stream().mapToDouble(Double::doubleValue).average().orElse(0);
    double squares = values.stream().mapToDouble(value -> (value - mean) * (value - mean)).sum();
    int count = values.size();
    return new Statistic(mean, count < 2 ? 0 : Math.sqrt(squares / (count - 1)), count);
  }
}
