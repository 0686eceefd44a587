package io.fusespill.cuda.kernel;

import java.util.Locale;

/// The kernels for products of few rows: how many rows of x they take, and how many rows of the
/// weights they have in a tile.
enum LinearKernel {
  B8_R16(8, 16),
  B8_R48(8, 48),
  B16_R16(16, 16),
  B16_R48(16, 48),
  B16_R64(16, 64),
  B32_R32(32, 32),
  B32_R48(32, 48),
  B32_R64(32, 64),
  B32_R96(32, 96),
  B64_R64(64, 64);

  /// Most rows of x.
  static final int BATCH_MAX = 64;

  /// Most float32 numbers of a tile.
  static final int NUMBERS_MAX = 64 * 64;

  final int batch;
  final int tileRows;

  LinearKernel(int batch, int tileRows) {
    this.batch = batch;
    this.tileRows = tileRows;
  }

  /// The kernel's name, without that of the element type.
  String symbol() {
    return "linear_" + name().toLowerCase(Locale.ROOT);
  }

  /// Tiles of weights of that many rows.
  int tiles(int outputs) {
    return Math.ceilDiv(outputs, tileRows);
  }
}
