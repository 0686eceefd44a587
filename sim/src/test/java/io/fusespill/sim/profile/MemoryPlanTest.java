package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.profile.MemoryPlan.Term;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryPlanTest {

  private static final MemoryOptions OPTIONS = new MemoryOptions(0.9, 16, 4_096, 256);

  // allowed 23,696,375,808 · 0.9 = 21,326,738,227.2; weights 2 · 6,738,415,616; activations 4,096 ·
  // (2 · 4,096 + 3 ·
  // 11,008) · 2, the MLP being wider than attention's 4 · 4,096; logits 256 · 32,000 · 4 · 3; a
  // block 16 · 512 KiB.
  @Test
  void of_vicunaOnA10_isTheHandArithmetic() {
    MemoryPlan plan = plan("a10", "vicuna-7b", OPTIONS);

    assertThat(plan.terms())
        .extracting(Term::bytes)
        .containsExactly(
            21_326_738_227L, -13_476_831_232L, -718_077_952L, -337_641_472L, -98_304_000L);
    assertThat(plan.kvBytes()).isEqualTo(6_695_883_571L);
    assertThat(plan.blockBytes()).isEqualTo(8_388_608L);
    assertThat(plan.blocks()).isEqualTo(798);
  }

  @Test
  void arithmetic_showsEachTermAndTheResult() {
    assertThat(plan("a10", "vicuna-7b", OPTIONS).arithmetic().lines().map(String::strip))
        .containsExactly(
            "21,326,738,227  allowed      23,696,375,808 usable x 0.9",
            "-13,476,831,232  weights      6,738,415,616 parameters x 2",
            "-718,077,952  context      driver context and libraries",
            "-337,641,472  activations  4,096 tokens x 41,216 wide x 2",
            "-98,304,000  logits       256 sequences x 32,000 tokens x 4 x 3 copies",
            "6,695,883,571  bytes for KV = 798 blocks of 8,388,608 bytes");
  }

  @Test
  void of_fewerTokensThanSequences_samplesOnlyThose() {
    MemoryPlan plan = plan("a10", "vicuna-7b", new MemoryOptions(0.9, 16, 64, 256));

    assertThat(plan.terms().getLast().bytes()).isEqualTo(-64L * 32_000 * 4 * 3);
  }

  @Test
  void of_modelTooLarge_showsTheArithmetic() {
    assertThatThrownBy(() -> plan("a10", "vicuna-13b", OPTIONS))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("vicuna-13b does not fit a10")
        .hasMessageContaining("-26,031,728,640 weights")
        .hasMessageEndingWith(
            "needs 13,107,200; no step is small enough: use more of the memory (util) or take a larger device or several cards (tp=N)");
  }

  @Test
  void of_stepTooLarge_namesTheOptionsThatMakeItSmaller() {
    assertThatThrownBy(() -> plan("a10", "llama-3.1-8b", new MemoryOptions(0.9, 16, 131_072, 256)))
        .isInstanceOf(ProfileException.class)
        .hasMessageEndingWith(
            "needs 2,097,152; lower max-num-batched-tokens (131,072), which a policy that never splits a prompt has from max-model-len, or max-num-seqs (256), use more of the memory (util), or take a larger device or several cards (tp=N)");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -0.5, 1.01, Double.NaN, Double.POSITIVE_INFINITY})
  void options_utilisationOutOfRange_isAnError(double utilisation) {
    assertThatThrownBy(() -> new MemoryOptions(utilisation, 16, 4_096, 256))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("util is " + utilisation);
  }

  @Test
  void options_countsOutOfRange_areErrors() {
    assertThatThrownBy(() -> new MemoryOptions(0.9, 0, 1, 1)).hasMessageContaining("block-size");
    assertThatThrownBy(() -> new MemoryOptions(0.9, 1, 0, 1))
        .hasMessageContaining("max-num-batched-tokens");
    assertThatThrownBy(() -> new MemoryOptions(0.9, 1, 1, 0)).hasMessageContaining("max-num-seqs");
  }

  private static MemoryPlan plan(String hardware, String model, MemoryOptions options) {
    return MemoryPlan.of(HardwareProfiles.named(hardware), ModelProfiles.named(model), options);
  }
}
