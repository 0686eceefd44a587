package io.fusespill.cuda.blas;

import io.fusespill.host.checkpoint.ElementType;

/// The shape of y = x · Wᵀ: x is `rows` × `inputs`, W is `outputs` × `inputs`, y is `rows` ×
/// `outputs`, each row by row without gaps.
///
/// @param rows at least 1
/// @param outputs at least 1, a multiple of 8
/// @param inputs at least 1, a multiple of 8
/// @param type of x and W: BF16 or F16
/// @param output of y: `type` or F32
/// @param bias whether `outputs` numbers of type `output` are added to each row
/// @param accumulate whether the product is added to what is in y
public record LinearShape(
    int rows,
    int outputs,
    int inputs,
    ElementType type,
    ElementType output,
    boolean bias,
    boolean accumulate) {

  private static final int MULTIPLE = 8;

  public LinearShape {
    if (rows < 1) {
      throw new IllegalArgumentException("rows must be at least 1, got " + rows);
    }
    check("outputs", outputs);
    check("inputs", inputs);
    if (type == ElementType.F32) {
      throw new IllegalArgumentException("the type must be BF16 or F16, got F32");
    }
    if (output != type && output != ElementType.F32) {
      throw new IllegalArgumentException(
          "the output must be %s, as the input, or F32, got %s".formatted(type, output));
    }
  }

  /// Whether a width of inputs or outputs is legal.
  public static boolean fits(int width) {
    return width >= 1 && width % MULTIPLE == 0;
  }

  private static void check(String name, int value) {
    if (!fits(value)) {
      throw new IllegalArgumentException(
          "%s must be a multiple of %d, at least %d, got %d"
              .formatted(name, MULTIPLE, MULTIPLE, value));
    }
  }

  /// Without bias, and y is written over.
  public static LinearShape of(
      int rows, int outputs, int inputs, ElementType type, ElementType output) {
    return new LinearShape(rows, outputs, inputs, type, output, false, false);
  }
}
