package io.fusespill.engine.length;

/// A 64-bit hash over ended sequences in their order: each is mixed in by the finaliser of
/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
final class Fingerprint {

  private long hash = 0x9E3779B97F4A7C15L;

  void add(int promptTokens, int outputTokens, boolean censored) {
    mix(((long) promptTokens << 32) | (outputTokens & 0xFFFF_FFFFL));
    mix(censored ? 1 : 0);
  }

  private void mix(long value) {
    long z = (hash ^ value) + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    hash = z ^ (z >>> 31);
  }

  long value() {
    return hash;
  }
}
