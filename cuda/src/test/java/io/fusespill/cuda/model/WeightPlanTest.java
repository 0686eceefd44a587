package io.fusespill.cuda.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.RopeFrequencies;
import java.util.List;
import org.junit.jupiter.api.Test;

final class WeightPlanTest {

  private static ModelConfig config(
      int vocabulary, int hidden, int inner, int heads, int kvHeads, int headDim, boolean tied) {
    return new ModelConfig(
        "LlamaForCausalLM",
        vocabulary,
        hidden,
        inner,
        32,
        heads,
        kvHeads,
        headDim,
        1e-5,
        RopeFrequencies.of(10_000, headDim),
        false,
        false,
        false,
        false,
        tied,
        4096,
        ElementType.BF16,
        List.of());
  }

  /// 6,738,415,616 parameters, of which 65 norms of 4,096 take two bytes more.
  @Test
  void llama2Of7B_takesTwoBytesAParameter() {
    long bytes = CudaWeights.bytesOf(config(32_000, 4_096, 11_008, 32, 32, 128, false));
    assertThat(bytes).isEqualTo(2 * 6_738_415_616L + 2 * 65 * 4_096);
  }

  @Test
  void matricesOfOneInput_followOneAnother() {
    ModelConfig config = config(600, 64, 172, 4, 2, 16, true);
    WeightPlan plan = WeightPlan.of(config);
    assertThat(plan.head()).isEqualTo(plan.embedding());
    assertThat(plan.layer(0).inputBias()).isEqualTo(WeightPlan.NONE);
    WeightPlan.Piece query = piece(plan, "model.layers.3.self_attn.q_proj.weight");
    WeightPlan.Piece key = piece(plan, "model.layers.3.self_attn.k_proj.weight");
    WeightPlan.Piece value = piece(plan, "model.layers.3.self_attn.v_proj.weight");
    assertThat(query.offset()).isEqualTo(plan.layer(3).inputs());
    assertThat(key.offset()).isEqualTo(query.offset() + 2 * 64 * 64);
    assertThat(value.offset()).isEqualTo(key.offset() + 2 * 32 * 64);
    WeightPlan.Piece gate = piece(plan, "model.layers.3.mlp.gate_proj.weight");
    WeightPlan.Piece up = piece(plan, "model.layers.3.mlp.up_proj.weight");
    assertThat(up.offset()).isEqualTo(gate.offset() + 2 * 176 * 64);
    assertThat(piece(plan, "model.layers.3.mlp.down_proj.weight").stride()).isEqualTo(176);
  }

  private static WeightPlan.Piece piece(WeightPlan plan, String name) {
    return plan.pieces().stream()
        .filter(piece -> piece.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shapesThatTheKernelsCannotRun_areNamed() {
    assertThatThrownBy(() -> WeightPlan.of(config(600, 60, 172, 4, 2, 16, false)))
        .hasMessageContaining("hidden width that is a multiple of 8, got 60");
    assertThatThrownBy(() -> WeightPlan.of(config(600, 64, 172, 4, 2, 512, false)))
        .hasMessageContaining("at most 256, got 512");
    assertThatThrownBy(() -> WeightPlan.of(config(600_000, 64, 172, 4, 2, 16, false)))
        .hasMessageContaining("at most 524288 tokens, got 600000");
  }
}
