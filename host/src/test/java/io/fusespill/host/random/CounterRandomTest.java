package io.fusespill.host.random;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// The numbers come from a Python script of the same formulas; those of key 0 are SplitMix64's own.
class CounterRandomTest {

  @Test
  void bits_areSplitMix64() {
    assertThat(CounterRandom.bits(0, 0)).isEqualTo(0xe220a8397b1dcdafL);
    assertThat(CounterRandom.bits(0, 1)).isEqualTo(0x6e789e6aa1b965f4L);
    assertThat(CounterRandom.bits(42, 7)).isEqualTo(0xccf635ee9e9e2fa4L);
  }

  @Test
  void uniform_isBelowOne() {
    assertThat(CounterRandom.uniform(42, 7)).isEqualTo(0.8006318767135033);
    double sum = 0;
    for (int i = 0; i < 10_000; i++) {
      double u = CounterRandom.uniform(CounterRandom.key(1, 0), i);
      assertThat(u).isBetween(0.0, Math.nextDown(1.0));
      sum += u;
    }
    assertThat(sum / 10_000).isBetween(0.49, 0.51);
  }

  @Test
  void keys_ofPartsDiffer() {
    assertThat(CounterRandom.key(42, 3)).isEqualTo(0xc4b6b24ef01890eL);
    assertThat(CounterRandom.key(7, "model.norm.weight")).isEqualTo(0xc9c09998e5e9a4afL);
    assertThat(CounterRandom.key(7, 0)).isNotEqualTo(CounterRandom.key(7, 1));
  }
}
