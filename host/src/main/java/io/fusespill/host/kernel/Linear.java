package io.fusespill.host.kernel;

import io.fusespill.host.checkpoint.ElementType;
import java.lang.foreign.Arena;
import jdk.incubator.vector.FloatVector;

/// Products of activations with matrices, some of a matrix's rows at a time. An instance is the
/// scratch memory of one thread.
///
/// A product takes its columns in ascending order into one vector of partial sums, whatever else is
/// computed with it: so its bits depend on the row of activations and the row of weights alone.
public final class Linear {

  /* Four rows of weights meet all rows of a block of activations before the next four do. On
   * Intel's processors these lie beside each other. On others they are a quarter of the work apart, so
   * that memory gives four long streams of rising addresses, which the processor fetches ahead: on
   * AMD's a step takes 10 to 27 % less time so, on Intel's some 5 % more
   * (docs/measurements/host-kernels.md). The bits are the same. Columns go in slices: a slice of the
   * weights is widened to f32 in the first cache and then meets the same slice of all rows, whose
   * partial sums wait in memory. So weights come from memory once, reading
   * and computing alternate quickly enough to overlap, and the activations stay in the second
   * cache. */

  private static final int TILE = 4;

  /// Bytes of the partial sums of one row of activations.
  private static final long SUMS_ROW = TILE * Vectors.BYTES;

  /// Bytes of activations that stay in the second cache.
  private static final int BLOCK_BYTES = 1 << 19;

  private static final int BLOCK_ROWS = 64;

  /// Grains of a slice of columns.
  private static final int SLICE = 32;

  /// Bytes of a slice of one row of weights as f32.
  private static final long WIDE_ROW = SLICE * 2 * Vectors.BYTES;

  /// Rows of activations for which weights are not worth widening.
  private static final int FEW = 3;

  /// Bytes of weights that stay in the second cache beside them.
  private static final int CHUNK_BYTES = 1 << 18;

  /// The same where they meet few rows of activations, so that nothing has to stay: shared out more
  /// evenly where they lie beside each other; where they are far apart, in streams as long as can
  /// be.
  private static final int FEW_CHUNK_BYTES = Cores.intel() ? 1 << 16 : 1 << 20;

  private static final int GRAIN = Rows.GRAIN;

  /// Rows of each of two matrices that are gated at a time.
  private static final int GATED = Math.max(64, GRAIN);

  /// The same where they meet few rows of activations.
  private static final int FEW_GATED = Math.max(256, GRAIN);

  private static final long GATED_BYTES =
      (long) Float.BYTES * Math.max(BLOCK_ROWS * GATED, FEW * FEW_GATED);

  /// Whether rows that are multiplied together lie beside each other.
  private final boolean beside;

  private final long sums;
  private final long wide;
  private final long gates;
  private final long ups;

  /// Scratch memory that lives as long as the arena.
  public Linear(Arena arena) {
    this(arena, Cores.intel());
  }

  Linear(Arena arena, boolean beside) {
    this.beside = beside;
    sums = arena.allocate(BLOCK_ROWS * SUMS_ROW, 64).address();
    wide = arena.allocate(TILE * WIDE_ROW, 64).address();
    gates = arena.allocate(GATED_BYTES, 64).address();
    ups = arena.allocate(GATED_BYTES, 64).address();
  }

  /// How many of a matrix's rows go to a thread at a time: few enough to share them out evenly and,
  /// where many rows of activations meet them, to stay in a cache; a multiple of `multiple`.
  ///
  /// @param rows of activations
  public static int chunk(Matrix matrix, int rows, int threads, int multiple) {
    long cached = (rows <= FEW ? FEW_CHUNK_BYTES : CHUNK_BYTES) / matrix.strideBytes();
    long even = matrix.rows() / (4L * threads);
    return (int) Math.max(multiple, Math.min(cached, even) / multiple * multiple);
  }

  /// Writes the products of `rows` rows of activations with the rows `from` to `to` - 1 of a
  /// matrix, or adds them to what is there.
  ///
  /// @param input activations, packed if the matrix wants it
  /// @param inputStride bytes from row to row
  /// @param bias an f32 vector to add, or 0
  /// @param output where the product with row 0 of the matrix goes
  /// @param outputStride bytes from row to row
  public void multiply(
      Matrix matrix,
      int from,
      int to,
      long input,
      long inputStride,
      int rows,
      long bias,
      long output,
      long outputStride,
      boolean add) {
    int block = blockRows(matrix);
    for (int first = 0; first < rows; first += block) {
      tiles(
          matrix,
          from,
          to,
          input + first * inputStride,
          inputStride,
          Math.min(block, rows - first),
          bias,
          output + first * outputStride,
          outputStride,
          add);
    }
  }

  private void tiles(
      Matrix matrix,
      int from,
      int to,
      long input,
      long inputStride,
      int count,
      long bias,
      long output,
      long outputStride,
      boolean add) {
    int apart = beside ? 1 : Math.max(1, (to - from) / TILE);
    int done = from;
    for (; done + TILE * apart <= to; done += TILE * apart) {
      for (int row = done; row < done + apart; row++) {
        tile(matrix, row, apart, TILE, input, inputStride, count, bias, output, outputStride, add);
      }
    }
    if (done < to) {
      tile(matrix, done, 1, to - done, input, inputStride, count, bias, output, outputStride, add);
    }
  }

  /// The products with `width` rows of a matrix, at most a tile, `apart` rows from one to the next.
  private void tile(
      Matrix matrix,
      int first,
      int apart,
      int width,
      long input,
      long inputStride,
      int count,
      long bias,
      long output,
      long outputStride,
      boolean add) {
    accumulate(
        matrix,
        matrix.row(first),
        matrix.row(first + apart * Math.min(1, width - 1)),
        matrix.row(first + apart * Math.min(2, width - 1)),
        matrix.row(first + apart * Math.min(3, width - 1)),
        input,
        inputStride,
        count);
    finish(first, apart, width, bias, output, outputStride, count, add);
  }

  private void finish(
      int first,
      int apart,
      int width,
      long bias,
      long output,
      long outputStride,
      int count,
      boolean add) {
    for (int row = 0; row < count; row++) {
      for (int i = 0; i < width; i++) {
        long at = 4L * (first + i * apart);
        long target = output + row * outputStride + at;
        float sum = sum(row, i) + (bias == 0 ? 0 : Memory.getFloat(bias + at));
        Memory.putFloat(target, add ? Memory.getFloat(target) + sum : sum);
      }
    }
  }

  /// Writes `silu(gate) * up` for the rows `from` to `to` - 1 of two matrices of one type and
  /// shape.
  ///
  /// @param from a multiple of the grain
  /// @param gateBias an f32 vector, or 0; `upBias` likewise
  /// @param output where row 0 goes, packed if `packed`
  public void gated(
      Matrix gate,
      Matrix up,
      int from,
      int to,
      long input,
      long inputStride,
      int rows,
      long gateBias,
      long upBias,
      long output,
      long outputStride,
      boolean packed) {
    int block = blockRows(gate);
    int most = rows <= FEW ? FEW_GATED : GATED;
    long stride = (long) Float.BYTES * most;
    for (int first = 0; first < rows; first += block) {
      int count = Math.min(block, rows - first);
      for (int part = from; part < to; part += most) {
        int width = Math.min(most, to - part);
        long x = input + first * inputStride;
        long g = gates - 4L * part;
        long u = ups - 4L * part;
        tiles(gate, part, part + width, x, inputStride, count, gateBias, g, stride, false);
        tiles(up, part, part + width, x, inputStride, count, upBias, u, stride, false);
        for (int row = 0; row < count; row++) {
          long target = output + (first + row) * outputStride + 4L * part;
          activate(gates + row * stride, ups + row * stride, target, width, packed);
        }
      }
    }
  }

  private static void activate(long gates, long ups, long target, int width, boolean packed) {
    for (long at = 0; at < 4L * width; at += Vectors.BYTES) {
      FloatVector gate = Vectors.load(gates + at);
      FloatVector silu = gate.div(Vectors.exp(gate.neg()).add(1));
      Vectors.store(silu.mul(Vectors.load(ups + at)), ups + at);
    }
    Rows.arrange(ups, target, width, packed);
  }

  private float sum(int row, int i) {
    return Vectors.sum(Vectors.load(sums + row * SUMS_ROW + i * Vectors.BYTES));
  }

  private static int blockRows(Matrix matrix) {
    int rows = BLOCK_BYTES / (matrix.stride() * Float.BYTES);
    return Math.clamp(rows - rows % 2, 2, BLOCK_ROWS);
  }

  private void accumulate(
      Matrix matrix, long w0, long w1, long w2, long w3, long input, long inputStride, int rows) {
    int grains = matrix.stride() / GRAIN;
    if (matrix.type() == ElementType.BF16 && rows <= FEW) {
      for (int row = 0; row < rows; row++) {
        long x = input + row * inputStride;
        long partial = sums + row * SUMS_ROW;
        Dot.bf16x1(w0, w1, w2, w3, x, grains, partial);
      }
      return;
    }
    Memory.zero(sums, rows * SUMS_ROW);
    for (int from = 0; from < grains; from += SLICE) {
      int count = Math.min(SLICE, grains - from);
      long at = (long) from * GRAIN * matrix.type().bytes();
      long x = input + (long) from * GRAIN * Float.BYTES;
      if (matrix.type() == ElementType.F32) {
        slice(w0 + at, w1 + at, w2 + at, w3 + at, x, inputStride, 2 * count, rows);
      } else {
        widen(matrix.type(), w0 + at, w1 + at, w2 + at, w3 + at, count);
        slice(
            wide,
            wide + WIDE_ROW,
            wide + 2 * WIDE_ROW,
            wide + 3 * WIDE_ROW,
            x,
            inputStride,
            2 * count,
            rows);
      }
    }
  }

  private void widen(ElementType type, long w0, long w1, long w2, long w3, int grains) {
    if (type == ElementType.BF16) {
      Dot.widenBf16(w0, w1, w2, w3, grains, wide, WIDE_ROW);
    } else {
      Dot.widenF16(w0, grains, wide);
      Dot.widenF16(w1, grains, wide + WIDE_ROW);
      Dot.widenF16(w2, grains, wide + 2 * WIDE_ROW);
      Dot.widenF16(w3, grains, wide + 3 * WIDE_ROW);
    }
  }

  private void slice(
      long w0, long w1, long w2, long w3, long input, long inputStride, int vectors, int rows) {
    long x = input;
    long partial = sums;
    int row = 0;
    for (; row + 2 <= rows; row += 2) {
      Dot.f32x2(w0, w1, w2, w3, x, x + inputStride, vectors, partial);
      x += 2 * inputStride;
      partial += 2 * SUMS_ROW;
    }
    if (row < rows) {
      Dot.f32x1(w0, w1, w2, w3, x, vectors, partial);
    }
  }
}
