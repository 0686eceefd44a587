package io.fusespill.engine.state;

/// A 64-bit hash of numbers in the order in which they are added: each is mixed in by the finaliser
/// of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
final class StateHash {

  private long hash = 0x9E3779B97F4A7C15L;

  void add(long value) {
    long z = (hash ^ value) + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    hash = z ^ (z >>> 31);
  }

  long value() {
    return hash;
  }
}
