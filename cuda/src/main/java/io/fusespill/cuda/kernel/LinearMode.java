package io.fusespill.cuda.kernel;

/// What a linear layer of few rows does with its sums. The order is that of the kernels' numbers.
public enum LinearMode {
  /// Writes them as the kernels' element type.
  STORE,
  /// Writes them as float32.
  STORE_FLOAT,
  /// Of weights that are gate, then up: writes silu(gate) · up as the kernels' element type.
  GATED,
  /// Adds them to float32 numbers that are there.
  ADD
}
