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
    long whole = headDim / LANES * BYTES;
    for (int i = 0; i < count; i++) {
      long key = keys + i * head;
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      for (long d = 0; d < whole; d += BYTES) {
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
    long whole = headDim / LANES * BYTES;
    for (int i = 0; i < count; i++) {
      long key = keys + i * head;
      FloatVector a = FloatVector.zero(FLOATS);
      for (long d = 0; d < whole; d += BYTES) {
        a = load(key + d).fma(load(query + d), a);
      }
      Memory.putFloat(scores + 4L * i, rest(sum(a), query, key, whole, head));
    }
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
    long end = scores + 4L * padded;
    FloatVector largest = load(scores);
    for (long at = scores + BYTES; at < end; at += BYTES) {
      largest = largest.max(load(at));
    }
    float before = Memory.getFloat(state);
    float now = Math.max(before, largest.reduceLanes(VectorOperators.MAX));
    FloatVector weights = FloatVector.zero(FLOATS);
    for (long at = scores; at < end; at += BYTES) {
      FloatVector w = Vectors.exp(load(at).sub(now));
      store(w, at);
      weights = weights.add(w);
    }
    float scale = Vectors.exp(FloatVector.broadcast(FLOATS, before - now)).lane(0);
    Memory.putFloat(state, now);
    Memory.putFloat(state + 4, Memory.getFloat(state + 4) * scale + sum(weights));
    if (scale != 1) {
      scale(output, scale, headDim);
    }
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
    for (; d + 4 * LANES <= headDim; d += 4 * LANES) {
      values4x4(weights, values + 4L * d, count, headDim, outputs + 4L * d);
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

  private static void values4x4(long weights, long values, int count, int headDim, long o0) {
    long head = 4L * headDim;
    long o1 = o0 + head;
    long o2 = o1 + head;
    long o3 = o2 + head;
    FloatVector a0 = load(o0);
    FloatVector a1 = load(o0 + BYTES);
    FloatVector a2 = load(o0 + 2 * BYTES);
    FloatVector a3 = load(o0 + 3 * BYTES);
    FloatVector b0 = load(o1);
    FloatVector b1 = load(o1 + BYTES);
    FloatVector b2 = load(o1 + 2 * BYTES);
    FloatVector b3 = load(o1 + 3 * BYTES);
    FloatVector c0 = load(o2);
    FloatVector c1 = load(o2 + BYTES);
    FloatVector c2 = load(o2 + 2 * BYTES);
    FloatVector c3 = load(o2 + 3 * BYTES);
    FloatVector d0 = load(o3);
    FloatVector d1 = load(o3 + BYTES);
    FloatVector d2 = load(o3 + 2 * BYTES);
    FloatVector d3 = load(o3 + 3 * BYTES);
    for (int i = 0; i < count; i++) {
      long value = values + i * head;
      FloatVector v0 = load(value);
      FloatVector v1 = load(value + BYTES);
      FloatVector v2 = load(value + 2 * BYTES);
      FloatVector v3 = load(value + 3 * BYTES);
      long w = weights + 4L * i;
      FloatVector p = weight(w);
      a0 = v0.fma(p, a0);
      a1 = v1.fma(p, a1);
      a2 = v2.fma(p, a2);
      a3 = v3.fma(p, a3);
      p = weight(w + 4L * CHUNK);
      b0 = v0.fma(p, b0);
      b1 = v1.fma(p, b1);
      b2 = v2.fma(p, b2);
      b3 = v3.fma(p, b3);
      p = weight(w + 8L * CHUNK);
      c0 = v0.fma(p, c0);
      c1 = v1.fma(p, c1);
      c2 = v2.fma(p, c2);
      c3 = v3.fma(p, c3);
      p = weight(w + 12L * CHUNK);
      d0 = v0.fma(p, d0);
      d1 = v1.fma(p, d1);
      d2 = v2.fma(p, d2);
      d3 = v3.fma(p, d3);
    }
    store(a0, o0);
    store(a1, o0 + BYTES);
    store(a2, o0 + 2 * BYTES);
    store(a3, o0 + 3 * BYTES);
    store(b0, o1);
    store(b1, o1 + BYTES);
    store(b2, o1 + 2 * BYTES);
    store(b3, o1 + 3 * BYTES);
    store(c0, o2);
    store(c1, o2 + BYTES);
    store(c2, o2 + 2 * BYTES);
    store(c3, o2 + 3 * BYTES);
    store(d0, o3);
    store(d1, o3 + BYTES);
    store(d2, o3 + 2 * BYTES);
    store(d3, o3 + 3 * BYTES);
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
