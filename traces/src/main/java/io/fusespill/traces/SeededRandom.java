package io.fusespill.traces;

import java.nio.charset.StandardCharsets;

/// A stream of random numbers that is the same on every machine: xoshiro256** (Blackman and Vigna,
/// 2018), seeded through SplitMix64.
///
/// One stream a purpose, so that one draw more for one purpose moves no other. Not for secrets, not
/// thread-safe.
public final class SeededRandom {

  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private long s0;
  private long s1;
  private long s2;
  private long s3;

  /// The stream of `purpose` under a master seed.
  public SeededRandom(long seed, String purpose) {
    long stream = seed ^ fnv1a(purpose);
    this(
        splitMix64(stream, 1), splitMix64(stream, 2), splitMix64(stream, 3), splitMix64(stream, 4));
  }

  SeededRandom(long s0, long s1, long s2, long s3) {
    this.s0 = s0;
    this.s1 = s1;
    this.s2 = s2;
    this.s3 = s3;
  }

  private static long fnv1a(String text) {
    long hash = FNV_OFFSET;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ Byte.toUnsignedInt(b)) * FNV_PRIME;
    }
    return hash;
  }

  /// The `index`-th output, from 1, of SplitMix64 under `seed`.
  static long splitMix64(long seed, int index) {
    long z = seed + index * GOLDEN_GAMMA;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /// 64 random bits.
  public long nextLong() {
    long result = Long.rotateLeft(s1 * 5, 7) * 9;
    long t = s1 << 17;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = Long.rotateLeft(s3, 45);
    return result;
  }

  /// Uniform over `min` to `max`, both included.
  public int nextInt(int min, int max) {
    Check.range("max", max, min, Integer.MAX_VALUE);
    long bound = (long) max - min + 1;
    long limit = (1L << 32) / bound * bound;
    long bits = nextLong() >>> 32;
    while (bits >= limit) {
      bits = nextLong() >>> 32;
    }
    return (int) (min + bits % bound);
  }

  /// Uniform over the open interval from 0 to 1.
  public double nextDouble() {
    return ((nextLong() >>> 12) + 0.5) * 0x1p-52;
  }

  /// Standard normal: mean 0, deviation 1.
  public double nextNormal() {
    return StandardNormal.quantile(nextDouble());
  }

  /// Gamma of this shape with mean 1; shape 1 is the exponential distribution.
  ///
  /// G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS
  /// 26(3), 2000.
  public double nextGamma(double shape) {
    Check.range("shape", shape, Double.MIN_NORMAL, Double.MAX_VALUE);
    if (shape == 1) {
      return -StrictMath.log(nextDouble());
    }
    if (shape < 1) {
      return gammaAboveOne(shape + 1) * StrictMath.pow(nextDouble(), 1 / shape) / shape;
    }
    return gammaAboveOne(shape) / shape;
  }

  private double gammaAboveOne(double shape) {
    double d = shape - 1.0 / 3;
    double c = 1 / Math.sqrt(9 * d);
    while (true) {
      double x = nextNormal();
      double root = 1 + c * x;
      double v = root * root * root;
      if (v > 0 && StrictMath.log(nextDouble()) < x * x / 2 + d - d * v + d * StrictMath.log(v)) {
        return d * v;
      }
    }
  }
}
