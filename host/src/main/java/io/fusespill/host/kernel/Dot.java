package io.fusespill.host.kernel;

import static io.fusespill.host.kernel.Vectors.BYTES;
import static io.fusespill.host.kernel.Vectors.FLOATS;
import static io.fusespill.host.kernel.Vectors.even;
import static io.fusespill.host.kernel.Vectors.half;
import static io.fusespill.host.kernel.Vectors.load;
import static io.fusespill.host.kernel.Vectors.loadInts;
import static io.fusespill.host.kernel.Vectors.odd;
import static io.fusespill.host.kernel.Vectors.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Products of one or two rows of activations with four rows of weights, lane by lane.
///
/// Each product has one vector of partial sums, and takes the columns in ascending order, whatever
/// the number of rows that are multiplied together: so a row's result does not depend on its
/// company. The sums are in memory at `sums`, four vectors a row of activations, so that a product
/// can be gone on with. Methods are small: the compiler no longer inlines the vector operations of
/// larger ones, which then take a hundred times as long and allocate.
final class Dot {

  private Dot() {}

  /// One packed row times four rows of bf16, from the first column on, over `grains` grains.
  static void bf16x1(long w0, long w1, long w2, long w3, long x, int grains, long sums) {
    FloatVector a0 = FloatVector.zero(FLOATS);
    FloatVector a1 = FloatVector.zero(FLOATS);
    FloatVector a2 = FloatVector.zero(FLOATS);
    FloatVector a3 = FloatVector.zero(FLOATS);
    for (int i = 0; i < grains; i++) {
      long at = (long) i * BYTES;
      IntVector p0 = loadInts(w0 + at);
      IntVector p1 = loadInts(w1 + at);
      IntVector p2 = loadInts(w2 + at);
      IntVector p3 = loadInts(w3 + at);
      FloatVector v = load(x + 2 * at);
      a0 = even(p0).fma(v, a0);
      a1 = even(p1).fma(v, a1);
      a2 = even(p2).fma(v, a2);
      a3 = even(p3).fma(v, a3);
      v = load(x + 2 * at + BYTES);
      a0 = odd(p0).fma(v, a0);
      a1 = odd(p1).fma(v, a1);
      a2 = odd(p2).fma(v, a2);
      a3 = odd(p3).fma(v, a3);
    }
    store(a0, sums);
    store(a1, sums + BYTES);
    store(a2, sums + 2 * BYTES);
    store(a3, sums + 3 * BYTES);
  }

  /// Goes on with one row times four rows of f32, over `vectors` vectors.
  static void f32x1(long w0, long w1, long w2, long w3, long x, int vectors, long sums) {
    FloatVector a0 = load(sums);
    FloatVector a1 = load(sums + BYTES);
    FloatVector a2 = load(sums + 2 * BYTES);
    FloatVector a3 = load(sums + 3 * BYTES);
    for (int i = 0; i < vectors; i++) {
      long at = (long) i * BYTES;
      FloatVector v = load(x + at);
      a0 = load(w0 + at).fma(v, a0);
      a1 = load(w1 + at).fma(v, a1);
      a2 = load(w2 + at).fma(v, a2);
      a3 = load(w3 + at).fma(v, a3);
    }
    store(a0, sums);
    store(a1, sums + BYTES);
    store(a2, sums + 2 * BYTES);
    store(a3, sums + 3 * BYTES);
  }

  /// Goes on with two rows times four rows of f32, over `vectors` vectors.
  static void f32x2(long w0, long w1, long w2, long w3, long x, long y, int vectors, long sums) {
    FloatVector a0 = load(sums);
    FloatVector a1 = load(sums + BYTES);
    FloatVector a2 = load(sums + 2 * BYTES);
    FloatVector a3 = load(sums + 3 * BYTES);
    FloatVector b0 = load(sums + 4 * BYTES);
    FloatVector b1 = load(sums + 5 * BYTES);
    FloatVector b2 = load(sums + 6 * BYTES);
    FloatVector b3 = load(sums + 7 * BYTES);
    for (int i = 0; i < vectors; i++) {
      long at = (long) i * BYTES;
      FloatVector q0 = load(w0 + at);
      FloatVector q1 = load(w1 + at);
      FloatVector q2 = load(w2 + at);
      FloatVector q3 = load(w3 + at);
      FloatVector v = load(x + at);
      a0 = q0.fma(v, a0);
      a1 = q1.fma(v, a1);
      a2 = q2.fma(v, a2);
      a3 = q3.fma(v, a3);
      v = load(y + at);
      b0 = q0.fma(v, b0);
      b1 = q1.fma(v, b1);
      b2 = q2.fma(v, b2);
      b3 = q3.fma(v, b3);
    }
    store(a0, sums);
    store(a1, sums + BYTES);
    store(a2, sums + 2 * BYTES);
    store(a3, sums + 3 * BYTES);
    store(b0, sums + 4 * BYTES);
    store(b1, sums + 5 * BYTES);
    store(b2, sums + 6 * BYTES);
    store(b3, sums + 7 * BYTES);
  }

  /// Writes `grains` grains of four rows of bf16 as f32, packed, `next` bytes from row to row.
  static void widenBf16(long w0, long w1, long w2, long w3, int grains, long target, long next) {
    for (int i = 0; i < grains; i++) {
      long at = (long) i * BYTES;
      long to = target + 2 * at;
      IntVector pairs = loadInts(w0 + at);
      store(even(pairs), to);
      store(odd(pairs), to + BYTES);
      pairs = loadInts(w1 + at);
      store(even(pairs), to + next);
      store(odd(pairs), to + next + BYTES);
      pairs = loadInts(w2 + at);
      store(even(pairs), to + 2 * next);
      store(odd(pairs), to + 2 * next + BYTES);
      pairs = loadInts(w3 + at);
      store(even(pairs), to + 3 * next);
      store(odd(pairs), to + 3 * next + BYTES);
    }
  }

  /// Writes `grains` grains of a row of f16 as f32, packed.
  static void widenF16(long from, int grains, long target) {
    for (int i = 0; i < grains; i++) {
      long at = (long) i * BYTES;
      IntVector pairs = loadInts(from + at);
      store(half(pairs.lanewise(VectorOperators.LSHL, 16)), target + 2 * at);
      store(half(pairs), target + 2 * at + BYTES);
    }
  }
}
