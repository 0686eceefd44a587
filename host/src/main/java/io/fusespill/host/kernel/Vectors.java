package io.fusespill.host.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Vectors of the machine's preferred width, 4 to 64 floats, and what the kernels do with them.
///
/// Every operation here gives the same bits compiled or interpreted: sums over lanes are taken in
/// one order, and the exponential is ours, because the Vector API leaves both to the compiler.
final class Vectors {

  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());

  /// Floats in a vector.
  static final int LANES = FLOATS.length();

  /// Bytes in a vector.
  static final long BYTES = 4L * LANES;

  private static final VectorShuffle<Float> BY_32 = exchange(32);
  private static final VectorShuffle<Float> BY_16 = exchange(16);
  private static final VectorShuffle<Float> BY_8 = exchange(8);
  private static final VectorShuffle<Float> BY_4 = exchange(4);
  private static final VectorShuffle<Float> BY_2 = exchange(2);
  private static final VectorShuffle<Float> BY_1 = exchange(1);

  private static final float LOG2_E = 1.442695f;
  private static final float LN_2_HIGH = 0x1.63p-1f;
  private static final float LN_2_LOW = -2.12194440e-4f;
  private static final float ROUND = 0x1.8p23f;
  private static final float P5 = 0.00019875691f;
  private static final float P4 = 0.0013981999f;
  private static final float P3 = 0.008333452f;
  private static final float P2 = 0.041665796f;
  private static final float P1 = 0.16666666f;
  private static final float P0 = 0.5f;
  private static final float LEAST = -87.0f;
  private static final float LARGEST = 88.0f;
  private static final FloatVector ALL_LOG2_E = all(LOG2_E);
  private static final FloatVector ALL_ROUND = all(ROUND);
  private static final FloatVector ALL_LN_2_HIGH = all(-LN_2_HIGH);
  private static final FloatVector ALL_LN_2_LOW = all(-LN_2_LOW);
  private static final FloatVector ALL_P5 = all(P5);
  private static final FloatVector ALL_P4 = all(P4);
  private static final FloatVector ALL_P3 = all(P3);
  private static final FloatVector ALL_P2 = all(P2);
  private static final FloatVector ALL_P1 = all(P1);
  private static final FloatVector ALL_P0 = all(P0);

  private Vectors() {}

  private static VectorShuffle<Float> exchange(int distance) {
    return VectorShuffle.fromOp(FLOATS, lane -> (lane ^ distance) % LANES);
  }

  static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(FLOATS, Memory.ALL, address, Memory.ORDER);
  }

  static IntVector loadInts(long address) {
    return IntVector.fromMemorySegment(INTS, Memory.ALL, address, Memory.ORDER);
  }

  static void store(FloatVector vector, long address) {
    vector.intoMemorySegment(Memory.ALL, address, Memory.ORDER);
  }

  /// The sum over the lanes: halves added to halves.
  static float sum(FloatVector v) {
    FloatVector s = v;
    if (LANES > 32) {
      s = s.add(s.rearrange(BY_32));
    }
    if (LANES > 16) {
      s = s.add(s.rearrange(BY_16));
    }
    if (LANES > 8) {
      s = s.add(s.rearrange(BY_8));
    }
    if (LANES > 4) {
      s = s.add(s.rearrange(BY_4));
    }
    if (LANES > 2) {
      s = s.add(s.rearrange(BY_2));
    }
    return s.add(s.rearrange(BY_1)).lane(0);
  }

  /// The even numbers of a vector of bf16 pairs.
  static FloatVector even(IntVector pairs) {
    return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /// The odd numbers of a vector of bf16 pairs.
  static FloatVector odd(IntVector pairs) {
    return pairs.and(0xffff_0000).reinterpretAsFloats();
  }

  /// f16 numbers in the upper halves of the lanes. Subnormal numbers are exact; there are no
  /// infinities.
  static FloatVector half(IntVector upper) {
    return upper
        .lanewise(VectorOperators.ASHR, 3)
        .and(0x8fff_e000)
        .reinterpretAsFloats()
        .mul(0x1p112f);
  }

  /// `e^x` to 2 units in the last place; 0 below -87, `e^88` above 88.
  static FloatVector exp(FloatVector x) {
    FloatVector bounded = x.max(LEAST).min(LARGEST);
    FloatVector shifted = bounded.fma(ALL_LOG2_E, ALL_ROUND);
    FloatVector n = shifted.sub(ALL_ROUND);
    FloatVector r = n.fma(ALL_LN_2_LOW, n.fma(ALL_LN_2_HIGH, bounded));
    FloatVector p = r.fma(ALL_P5, ALL_P4).fma(r, ALL_P3).fma(r, ALL_P2).fma(r, ALL_P1);
    p = p.fma(r, ALL_P0).fma(r.mul(r), r).add(1);
    IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    FloatVector power = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    return power.blend(0, x.compare(VectorOperators.LT, LEAST));
  }

  /// [#exp(FloatVector)] of one number.
  static float exp(float x) {
    if (x < LEAST) {
      return 0;
    }
    float bounded = Math.min(x, LARGEST);
    float shifted = Math.fma(bounded, LOG2_E, ROUND);
    float n = shifted - ROUND;
    float r = Math.fma(n, -LN_2_LOW, Math.fma(n, -LN_2_HIGH, bounded));
    float p = Math.fma(Math.fma(Math.fma(Math.fma(r, P5, P4), r, P3), r, P2), r, P1);
    p = Math.fma(Math.fma(p, r, P0), r * r, r) + 1;
    return Float.intBitsToFloat(
        Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(shifted) << 23));
  }

  private static FloatVector all(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }
}
