package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.profile.MemoryPlan.Term;
import org.junit.jupiter.api.Test;

class TensorParallelGroupTest {

  private static final MemoryOptions OPTIONS = new MemoryOptions(0.9, 16, 4_096, 256);
  private static final ModelProfile VICUNA = ModelProfiles.named("vicuna-7b");

  @Test
  void pair_ofDifferentCards_runsAtTheSlowersPace() {
    TensorParallelGroup pair = group("rtx-4090+rtx-3090");

    assertThat(pair.name()).isEqualTo("rtx-4090+rtx-3090");
    assertThat(pair.peakFlopsPerSecond()).isEqualTo(142_000_000_000_000L);
    assertThat(pair.bandwidthBytesPerSecond()).isEqualTo(1_872_000_000_000L);
  }

  @Test
  void name_ofEqualCards_countsThem() {
    assertThat(group("a10").name()).isEqualTo("a10");
    assertThat(group("a10:tp=2").name()).isEqualTo("a10-tp2");
  }

  // Each card: 21,326,738,227 allowed, half of the weights 6,738,415,616, and context, activations
  // and logits of its own; half a block is 4,194,304 bytes: 13,434,299,187 / 4,194,304 = 3,202.9.
  @Test
  void memory_ofTwoA10_splitsWeightsAndBlocks() {
    MemoryPlan plan = MemoryPlan.of(group("a10:tp=2"), VICUNA, OPTIONS);

    assertThat(plan.terms())
        .extracting(Term::bytes)
        .containsExactly(
            21_326_738_227L, -6_738_415_616L, -718_077_952L, -337_641_472L, -98_304_000L);
    assertThat(plan.blockBytes()).isEqualTo(4_194_304);
    assertThat(plan.blocks()).isEqualTo(3_202);
    assertThat(plan.arithmetic()).contains("6,738,415,616 parameters x 2 / 2 cards");
  }

  @Test
  void memory_ofDifferentCards_isTheSmallers() {
    assertThat(MemoryPlan.of(group("rtx-4090+rtx-3090"), VICUNA, OPTIONS))
        .isEqualTo(MemoryPlan.of(group("rtx-4090:tp=2"), VICUNA, OPTIONS));
  }

  @Test
  void requireSplits_headsDoNotDivide_isAnError() {
    assertThatThrownBy(() -> group("a10:tp=3").requireSplits(VICUNA))
        .isInstanceOf(ProfileException.class)
        .hasMessage(
            "vicuna-7b has 32 query and 32 KV heads, which do not divide evenly over the 3 cards of a10-tp3; tp must divide both");
  }

  private static TensorParallelGroup group(String device) {
    return DeviceSpec.parse(device).group();
  }
}
