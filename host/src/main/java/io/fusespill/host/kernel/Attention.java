package io.fusespill.host.kernel;

import static io.fusespill.host.kernel.Vectors.BYTES;
import static io.fusespill.host.kernel.Vectors.FLOATS;
import static io.fusespill.host.kernel.Vectors.LANES;
import static io.fusespill.host.kernel.Vectors.load;
import static io.fusespill.host.kernel.Vectors.store;
import static io.fusespill.host.kernel.Vectors.sum;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Attention of one or four queries over keys and values that follow each other in memory, all f32.
///
/// A query's score of a key, and its sum of weighted values, do not depend on how many queries or
/// keys are taken together: lanes in the same order, positions in ascending order.
public final class Attention {

  /// Positions that are weighted together. Chunks begin at multiples of it.
  public static final int CHUNK = 64;

  /// Queries that the kernels take together.
  public static final int GROUP = 4;

  private Attention() {}

  /// Scores of `keys` keys for each of four queries, `headDim` wide and without gaps.
  ///
  /// @param scores where the first query's are written; those of the next are [#CHUNK] numbers on
  public static void scores4(long queries, long keys, int count, int headDim, long scores) {
    long head = 4L * headDim;
    long q1 = queries + head;
    long q2 = q1 + head;
    long q3 = q2 + head;
    int vectors = headDim / LANES;
    long whole = vectors * BYTES;
    for (int i = 0; i < count; i++) {
      long key = keys + i * head;
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = FloatVector.zero(FLOATS);
      FloatVector a2 = FloatVector.zero(FLOATS);
      FloatVector a3 = FloatVector.zero(FLOATS);
      for (int v = 0; v < vectors; v++) {
        long d = v * BYTES;
        FloatVector k = load(key + d);
        a0 = k.fma(load(queries + d), a0);
        a1 = k.fma(load(q1 + d), a1);
        a2 = k.fma(load(q2 + d), a2);
        a3 = k.fma(load(q3 + d), a3);
      }
      long to = scores + 4L * i;
      Memory.putFloat(to, rest(sum(a0), queries, key, whole, head));
      Memory.putFloat(to + 4L * CHUNK, rest(sum(a1), q1, key, whole, head));
      Memory.putFloat(to + 8L * CHUNK, rest(sum(a2), q2, key, whole, head));
      Memory.putFloat(to + 12L * CHUNK, rest(sum(a3), q3, key, whole, head));
    }
  }

  /// Scores of `keys` keys for one query.
  public static void scores1(long query, long keys, int count, int headDim, long scores) {
    long head = 4L * headDim;
    int vectors = headDim / LANES;
    for (int i = 0; i < count; i++) {
      long key = keys + i * head;
      float sum = vectors == 0 ? 0 : dot(query, key, vectors);
      Memory.putFloat(scores + 4L * i, rest(sum, query, key, vectors * BYTES, head));
    }
  }

  private static float dot(long query, long key, int vectors) {
    FloatVector a = load(key).mul(load(query));
    if (vectors == 1) {
      return sum(a);
    }
    for (int v = 1; v < vectors; v++) {
      a = load(key + v * BYTES).fma(load(query + v * BYTES), a);
    }
    return sum(a);
  }

  private static float rest(float sum, long query, long key, long from, long to) {
    float s = sum;
    for (long d = from; d < to; d += 4) {
      s = Math.fma(Memory.getFloat(query + d), Memory.getFloat(key + d), s);
    }
    return s;
  }

  /// Turns the first `count` scores of a query, 1 to [#CHUNK], into weights relative to the largest
  /// score so far, and scales what was summed before to match.
  ///
  /// @param state the largest score so far and the sum of weights, two numbers
  /// @param output the query's weighted sum so far, `headDim` numbers
  public static void weigh(long scores, int count, long state, long output, int headDim) {
    int padded = (count + LANES - 1) / LANES * LANES;
    for (int i = count; i < padded; i++) {
      Memory.putFloat(scores + 4L * i, Float.NEGATIVE_INFINITY);
    }
    int vectors = padded / LANES;
    float before = Memory.getFloat(state);
    float now = Math.max(before, largest(scores, vectors));
    float weights = exponentials(scores, vectors, now);
    float scale = Vectors.exp(before - now);
    Memory.putFloat(state, now);
    Memory.putFloat(state + 4, Memory.getFloat(state + 4) * scale + weights);
    if (scale != 1) {
      scale(output, scale, headDim);
    }
  }

  private static float largest(long scores, int vectors) {
    FloatVector largest = load(scores);
    for (int i = 1; i < vectors; i++) {
      largest = largest.max(load(scores + i * BYTES));
    }
    return largest.reduceLanes(VectorOperators.MAX);
  }

  /// Puts `e^(score - largest)` in the scores' places and returns the sum.
  private static float exponentials(long scores, int vectors, float largest) {
    FloatVector weights = FloatVector.zero(FLOATS);
    for (int i = 0; i < vectors; i++) {
      FloatVector w = Vectors.exp(load(scores + i * BYTES).sub(largest));
      store(w, scores + i * BYTES);
      weights = weights.add(w);
    }
    return sum(weights);
  }

  /// Multiplies a row by a number.
  public static void scale(long row, float factor, int columns) {
    for (long i = 0; i < 4L * columns; i += 4) {
      Memory.putFloat(row + i, Memory.getFloat(row + i) * factor);
    }
  }

  /// Adds to each of four outputs `count` values times its weights.
  ///
  /// @param weights the first query's; those of the next are [#CHUNK] numbers on
  /// @param outputs the first query's; those of the next are `headDim` numbers on
  public static void values4(long weights, long values, int count, int headDim, long outputs) {
    int d = 0;
    for (; d + 2 * LANES <= headDim; d += 2 * LANES) {
      values4x2(weights, values + 4L * d, count, headDim, outputs + 4L * d);
    }
    for (; d + LANES <= headDim; d += LANES) {
      values4x1(weights, values + 4L * d, count, headDim, outputs + 4L * d);
    }
    for (int q = 0; q < GROUP && d < headDim; q++) {
      rest(weights + 4L * q * CHUNK, values, count, headDim, outputs + 4L * q * headDim, d);
    }
  }

  /// Adds to an output `count` values times its weights.
  public static void values1(long weights, long values, int count, int headDim, long output) {
    int d = 0;
    for (; d + 4 * LANES <= headDim; d += 4 * LANES) {
      values1x4(weights, values + 4L * d, count, headDim, output + 4L * d);
    }
    for (; d + LANES <= headDim; d += LANES) {
      values1x1(weights, values + 4L * d, count, headDim, output + 4L * d);
    }
    rest(weights, values, count, headDim, output, d);
  }

  private static FloatVector weight(long address) {
    return FloatVector.broadcast(FLOATS, Memory.getFloat(address));
  }

  private static void values4x2(long weights, long values, int count, int headDim, long o0) {
    long head = 4L * headDim;
    long o1 = o0 + head;
    long o2 = o1 + head;
    long o3 = o2 + head;
    FloatVector a0 = load(o0);
    FloatVector a1 = load(o0 + BYTES);
    FloatVector b0 = load(o1);
    FloatVector b1 = load(o1 + BYTES);
    FloatVector c0 = load(o2);
    FloatVector c1 = load(o2 + BYTES);
    FloatVector d0 = load(o3);
    FloatVector d1 = load(o3 + BYTES);
    for (int i = 0; i < count; i++) {
      FloatVector v0 = load(values + i * head);
      FloatVector v1 = load(values + i * head + BYTES);
      long w = weights + 4L * i;
      FloatVector p = weight(w);
      a0 = v0.fma(p, a0);
      a1 = v1.fma(p, a1);
      p = weight(w + 4L * CHUNK);
      b0 = v0.fma(p, b0);
      b1 = v1.fma(p, b1);
      p = weight(w + 8L * CHUNK);
      c0 = v0.fma(p, c0);
      c1 = v1.fma(p, c1);
      p = weight(w + 12L * CHUNK);
      d0 = v0.fma(p, d0);
      d1 = v1.fma(p, d1);
    }
    store(a0, o0);
    store(a1, o0 + BYTES);
    store(b0, o1);
    store(b1, o1 + BYTES);
    store(c0, o2);
    store(c1, o2 + BYTES);
    store(d0, o3);
    store(d1, o3 + BYTES);
  }

  private static void values4x1(long weights, long values, int count, int headDim, long o0) {
    long head = 4L * headDim;
    FloatVector a = load(o0);
    FloatVector b = load(o0 + head);
    FloatVector c = load(o0 + 2 * head);
    FloatVector d = load(o0 + 3 * head);
    for (int i = 0; i < count; i++) {
      FloatVector v = load(values + i * head);
      long w = weights + 4L * i;
      a = v.fma(weight(w), a);
      b = v.fma(weight(w + 4L * CHUNK), b);
      c = v.fma(weight(w + 8L * CHUNK), c);
      d = v.fma(weight(w + 12L * CHUNK), d);
    }
    store(a, o0);
    store(b, o0 + head);
    store(c, o0 + 2 * head);
    store(d, o0 + 3 * head);
  }

  private static void values1x4(long weights, long values, int count, int headDim, long o) {
    long head = 4L * headDim;
    FloatVector a0 = load(o);
    FloatVector a1 = load(o + BYTES);
    FloatVector a2 = load(o + 2 * BYTES);
    FloatVector a3 = load(o + 3 * BYTES);
    for (int i = 0; i < count; i++) {
      long value = values + i * head;
      FloatVector p = weight(weights + 4L * i);
      a0 = load(value).fma(p, a0);
      a1 = load(value + BYTES).fma(p, a1);
      a2 = load(value + 2 * BYTES).fma(p, a2);
      a3 = load(value + 3 * BYTES).fma(p, a3);
    }
    store(a0, o);
    store(a1, o + BYTES);
    store(a2, o + 2 * BYTES);
    store(a3, o + 3 * BYTES);
  }

  private static void values1x1(long weights, long values, int count, int headDim, long o) {
    long head = 4L * headDim;
    FloatVector a = load(o);
    for (int i = 0; i < count; i++) {
      a = load(values + i * head).fma(weight(weights + 4L * i), a);
    }
    store(a, o);
  }

  private static void rest(
      long weights, long values, int count, int headDim, long output, int from) {
    for (int d = from; d < headDim; d++) {
      float a = Memory.getFloat(output + 4L * d);
      for (int i = 0; i < count; i++) {
        float value = Memory.getFloat(values + 4L * i * headDim + 4L * d);
        a = Math.fma(value, Memory.getFloat(weights + 4L * i), a);
      }
      Memory.putFloat(output + 4L * d, a);
    }
  }
}
