package io.fusespill.host.random;

import java.nio.charset.StandardCharsets;

/// Random bits as a function of where they are used: SplitMix64's mixer (Steele, Lea, Flood, 2014)
/// over a seed and counters. Nothing is drawn one after another, so the order, the batch and the
/// thread do not matter. Not for secrets.
public final class CounterRandom {

  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;
  private static final double ULP = 0x1p-53;

  private CounterRandom() {}

  /// 64 random bits of the `counter`-th place in the stream of `key`.
  public static long bits(long key, long counter) {
    return mix(key + (counter + 1) * GOLDEN_GAMMA);
  }

  /// A number from 0 to less than 1, a multiple of 2^-53.
  public static double uniform(long key, long counter) {
    return (bits(key, counter) >>> 11) * ULP;
  }

  /// The key of the stream that `key` has for `part`.
  public static long key(long key, long part) {
    return bits(mix(key), part);
  }

  /// The key of the stream that `key` has for `part`.
  public static long key(long key, String part) {
    long hash = FNV_OFFSET;
    for (byte b : part.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ Byte.toUnsignedInt(b)) * FNV_PRIME;
    }
    return key(key, hash);
  }

  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    long b = (a ^ (a >>> 27)) * 0x94d049bb133111ebL;
    return b ^ (b >>> 31);
  }
}
