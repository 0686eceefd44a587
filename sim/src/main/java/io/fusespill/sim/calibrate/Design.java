package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The rows of a regression for terms and samples.
final class Design {

  final List<TermShape> structure;
  final Regression regression;

  Design(List<TermShape> structure, List<StepSample> samples) {
    this(
        structure,
        samples,
        samples.stream().map(StepSample::shape).toList(),
        new double[samples.size()]);
  }

  /// @param placed for each sample the shape by which segments are chosen in its stead
  /// @param beside for each sample the rest of the step, to which errors are relative, too
  Design(
      List<TermShape> structure,
      List<StepSample> samples,
      List<StepShape> placed,
      double[] beside) {
    this.structure = structure;
    int[][] indices = new int[samples.size()][];
    double[][] values = new double[samples.size()][];
    int width = structure.stream().mapToInt(TermShape::width).sum();
    for (int row = 0; row < indices.length; row++) {
      fill(samples.get(row).shape(), placed.get(row), width, row, indices, values);
    }
    regression =
        new Regression(
            structure.stream().mapToInt(TermShape::columns).sum(),
            indices,
            values,
            samples.stream().mapToDouble(StepSample::nanos).toArray(),
            beside);
  }

  private void fill(
      StepShape shape, StepShape placed, int width, int row, int[][] indices, double[][] values) {
    int[] index = new int[width];
    double[] value = new double[width];
    int used = 0;
    int from = 0;
    for (TermShape term : structure) {
      if (term.steps().includes(shape)) {
        int column = from + term.segment(placed) * term.width();
        for (StepFeature feature : term.features()) {
          long amount = feature.of(shape);
          if (amount > 0) {
            index[used] = column;
            value[used++] = amount;
          }
          column++;
        }
        if (term.intercept()) {
          index[used] = column;
          value[used++] = 1;
        }
      }
      from += term.columns();
    }
    indices[row] = Arrays.copyOf(index, used);
    values[row] = Arrays.copyOf(value, used);
  }

  List<FittedTerm> terms(double[] coefficients) {
    List<FittedTerm> terms = new ArrayList<>();
    int from = 0;
    for (TermShape term : structure) {
      terms.add(term.fitted(coefficients, from));
      from += term.columns();
    }
    return terms;
  }
}
