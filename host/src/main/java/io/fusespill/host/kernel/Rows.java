package io.fusespill.host.kernel;

import io.fusespill.host.checkpoint.Tensor;
import jdk.incubator.vector.FloatVector;

/// What is done to single rows of activations: f32, by address.
public final class Rows {

  /// Rows that kernels read are multiples of so many numbers long: two vectors.
  public static final int GRAIN = 2 * Vectors.LANES;

  private Rows() {}

  /// `columns` rounded up to whole grains.
  public static int padded(int columns) {
    return (columns + GRAIN - 1) / GRAIN * GRAIN;
  }

  /// Where number `i` of a row lies in a packed row: of each grain first the even ones, then the
  /// odd.
  static int packedIndex(int i) {
    int within = i % GRAIN;
    return i - within + (within & 1) * Vectors.LANES + (within >> 1);
  }

  /// Writes a row as [Matrix] wants it where it says so. What fills the last grain stays as it is:
  /// 0.
  public static void pack(long row, long target, int columns) {
    int grains = columns / GRAIN;
    for (int g = 0; g < grains; g++) {
      long from = row + (long) g * GRAIN * Float.BYTES;
      long even = target + (long) g * GRAIN * Float.BYTES;
      long odd = even + Vectors.BYTES;
      for (int i = 0; i < Vectors.LANES; i++) {
        Memory.putFloat(even + 4L * i, Memory.getFloat(from + 8L * i));
        Memory.putFloat(odd + 4L * i, Memory.getFloat(from + 8L * i + 4));
      }
    }
    for (int i = grains * GRAIN; i < columns; i++) {
      Memory.putFloat(target + 4L * packedIndex(i), Memory.getFloat(row + 4L * i));
    }
  }

  /// Writes a row packed or as it is.
  public static void arrange(long row, long target, int columns, boolean packed) {
    if (packed) {
      pack(row, target, columns);
    } else {
      Memory.copy(row, target, 4L * columns);
    }
  }

  /// Writes `row * weight / rms(row)`, packed if asked.
  public static void normalise(
      long row, long weight, double epsilon, long target, int columns, boolean packed) {
    float scale = scale(row, columns, epsilon);
    for (int i = 0; i < columns; i++) {
      float value = Memory.getFloat(row + 4L * i) * scale * Memory.getFloat(weight + 4L * i);
      Memory.putFloat(target + 4L * (packed ? packedIndex(i) : i), value);
    }
  }

  private static float scale(long row, int columns, double epsilon) {
    FloatVector squares = FloatVector.zero(Vectors.FLOATS);
    int whole = columns / Vectors.LANES * Vectors.LANES;
    for (int i = 0; i < whole; i += Vectors.LANES) {
      FloatVector v = Vectors.load(row + 4L * i);
      squares = v.fma(v, squares);
    }
    float sum = Vectors.sum(squares);
    for (int i = whole; i < columns; i++) {
      float v = Memory.getFloat(row + 4L * i);
      sum = Math.fma(v, v, sum);
    }
    return (float) (1.0 / Math.sqrt((double) sum / columns + epsilon));
  }

  /// Turns the pairs (`i`, `i + pairs`) of a head by the angles whose cosines and sines are given.
  public static void rotate(long head, long cosines, long sines, int pairs) {
    long second = head + 4L * pairs;
    for (long i = 0; i < 4L * pairs; i += 4) {
      float a = Memory.getFloat(head + i);
      float b = Memory.getFloat(second + i);
      float cos = Memory.getFloat(cosines + i);
      float sin = Memory.getFloat(sines + i);
      Memory.putFloat(head + i, a * cos - b * sin);
      Memory.putFloat(second + i, b * cos + a * sin);
    }
  }

  /// Adds a row to another.
  public static void add(long row, long target, int columns) {
    for (long i = 0; i < 4L * columns; i += 4) {
      Memory.putFloat(target + i, Memory.getFloat(target + i) + Memory.getFloat(row + i));
    }
  }

  /// Writes row `index` of a tensor as f32.
  public static void widen(Tensor tensor, int index, long target) {
    long bytes = (long) tensor.columns() * tensor.type().bytes();
    Convert.widen(tensor.type(), tensor.data().address() + index * bytes, target, tensor.columns());
  }

  /// The index of the largest number, the first of equals.
  public static int argmax(long row, int columns) {
    int best = 0;
    float largest = Memory.getFloat(row);
    for (int i = 1; i < columns; i++) {
      float value = Memory.getFloat(row + 4L * i);
      if (value > largest) {
        largest = value;
        best = i;
      }
    }
    return best;
  }
}
