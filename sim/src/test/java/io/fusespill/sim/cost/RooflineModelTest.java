package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.sim.profile.Architecture;
import io.fusespill.sim.profile.DataType;
import io.fusespill.sim.profile.DeviceKind;
import io.fusespill.sim.profile.Efficiency;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.profile.ProfileException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RooflineModelTest {

  // One layer, hidden 4, one head of 4, MLP 8, vocabulary 16, float16: linear 2·4·8 + 3·4·8 = 160
  // weights, head 64,
  // 16 FLOP a pair, KV 16 bytes a token, activation width 8·4 + 2·8 + 4·4 + 3·8 = 88.
  // Device: 1 GFLOP/s and 1 GB/s at half efficiency, so 2 ns a FLOP and a byte; a layer 10 ns, a
  // step 100.
  private static final RooflineModel TOY = new RooflineModel(toyDevice(), toyModel(), 1);

  @Test
  void breakdown_oneDecode_readsWeights() {
    StepCost cost = TOY.breakdown(Shapes.decode(1, 10));

    // 320 bytes of weights outlast 320 FLOP by nothing: both 640 ns, and the tie goes to memory.
    assertThat(cost.weightsNanos()).isEqualTo(640);
    assertThat(cost.kvNanos()).isEqualTo(10 * 16 * 2);
    assertThat(cost.activationNanos()).isEqualTo(88 * 2 * 2);
    assertThat(cost.headNanos()).isEqualTo(256);
    assertThat(cost.overheadNanos()).isEqualTo(110);
    assertThat(TOY.nanos(Shapes.decode(1, 10))).isEqualTo(640 + 320 + 352 + 256 + 110);
  }

  @Test
  void breakdown_prefillWithDecodes_sharesArithmeticByTokens() {
    // 3 decodes at 5 tokens, one prompt of 6 tokens, 9 of padding: 18 tokens · 320 FLOP = 5,760
    // FLOP.
    StepCost cost = TOY.breakdown(new StepShape(3, 15, 1, 6, 21, 18, 4));

    assertThat(cost.weightsNanos()).isZero();
    assertThat(cost.prefillLinearNanos()).isEqualTo(5_760 * 2 * 6 / 9);
    assertThat(cost.decodeLinearNanos()).isEqualTo(5_760 * 2 * 3 / 9);
    assertThat(cost.prefillAttentionNanos()).isEqualTo(21 * 16 * 2);
    assertThat(cost.headNanos()).isEqualTo(4 * 128 * 2);
  }

  @Test
  void nanos_wholeBlocks_addHalfABlockADecode() {
    RooflineModel blocks = new RooflineModel(toyDevice(), toyModel(), 16);

    assertThat(blocks.breakdown(Shapes.decode(2, 100)).kvNanos()).isEqualTo((200 + 15) * 16 * 2);
  }

  @Test
  void nanos_noTokens_isTheOverhead() {
    assertThat(TOY.nanos(new StepShape(0, 0, 0, 0, 0, 0, 0))).isEqualTo(110);
  }

  // H200, one decode step at 512 tokens of context, milliseconds. Lower bound: (weights + KV) / 4.3
  // TB/s, the rate of a
  // device copy. Upper bound: the same step measured in a CUDA graph without fused or paged
  // kernels.
  @ParameterizedTest
  @CsvSource({
    "llama-2-7b, 1, 3.1, 7.0",
    "llama-2-7b, 8, 3.6, 8.0",
    "llama-2-7b, 32, 5.1, 10.2",
    "llama-2-7b, 128, 11.1, 17.8",
    "llama-3.1-8b, 1, 3.5, 7.9",
    "llama-3.1-8b, 8, 3.6, 11.3",
    "llama-3.1-8b, 32, 4.0, 22.4",
    "llama-3.1-8b, 128, 5.5, 64.5",
  })
  void nanos_h200Decode_liesBetweenTheFloorAndAnUnfusedGraph(
      String model, int decodes, double floorMillis, double measuredMillis) {
    double millis = model("h200", model).nanos(Shapes.decode(decodes, 512)) / 1e6;

    assertThat(millis).isBetween(floorMillis, measuredMillis);
  }

  // weights 6,476,005,376 · 2 / (4.8e12 · 0.70) = 3.855; KV 32 · (512 + 7.5) · 524,288 / (4.8e12 ·
  // 0.78) = 2.328;
  // activations 32 · 6.31 MB / 3.36e12 = 0.060; head 262,144,000 / 3.36e12 = 0.078; overhead 0.126
  // + 32 · 0.032 = 1.150.
  @Test
  void breakdown_h200Batch32_isTheHandArithmetic() {
    StepCost cost = model("h200", "llama-2-7b").breakdown(Shapes.decode(32, 512));

    assertMillis(cost.weightsNanos(), 3.855);
    assertMillis(cost.kvNanos(), 2.328);
    assertMillis(cost.activationNanos(), 0.060);
    assertMillis(cost.headNanos(), 0.078);
    assertMillis(cost.overheadNanos(), 1.150);
  }

  // 8 prompts of 512 tokens: 4,096 · 2 · 6,476,005,376 / (989e12 · 0.80) = 67.05; attention 8 ·
  // 131,328 · 524,288 /
  // (989e12 · 0.32) = 1.74; activations 4,096 · 6.308 MB / 3.36e12 = 7.69; head 0.08; overhead
  // 1.15.
  @Test
  void breakdown_h200Prefill_isTheHandArithmetic() {
    StepCost cost = model("h200", "llama-2-7b").breakdown(Shapes.prefill(8, 512));

    assertMillis(cost.prefillLinearNanos(), 67.05);
    assertMillis(cost.prefillAttentionNanos(), 1.740);
    assertMillis(cost.activationNanos(), 7.69);
    assertMillis(cost.headNanos(), 0.078);
    assertMillis(cost.totalNanos(), 77.71);
  }

  // 12.95 GB / (600 GB/s · 0.85) = 25.40; head 0.262 GB / 510 GB/s = 0.51; overhead 0.126 + 32 ·
  // 0.042 = 1.47;
  // one token of context: nothing that shows.
  @Test
  void nanos_a10Vicuna_isWeightsAtTheRateOfItsMemory() {
    long nanos = model("a10", "vicuna-7b").nanos(Shapes.decode(1, 1));

    assertMillis(nanos, 27.41);
  }

  // A host: 12.95 GB / (96 GB/s · 0.6) = 225 ms, and its attention is bound by memory, not
  // arithmetic.
  @Test
  void breakdown_hostDecode_readsWeightsAtHostRate() {
    StepCost cost = model("h200-host", "llama-2-7b").breakdown(Shapes.decode(1, 1_000));

    assertMillis(cost.weightsNanos(), 224.9);
    assertMillis(cost.kvNanos(), 6.878);
  }

  @Test
  void new_float32_isAnError() {
    ModelProfile toy = toyModel();
    ModelProfile wide =
        new ModelProfile(
            "wide",
            toy.architecture(),
            1,
            4,
            1,
            1,
            4,
            8,
            16,
            32,
            false,
            false,
            false,
            DataType.FLOAT32,
            "");

    assertThatThrownBy(() -> new RooflineModel(toyDevice(), wide, 16))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("wide is float32");
  }

  private static void assertMillis(long nanos, double millis) {
    assertThat(nanos / 1e6).isCloseTo(millis, within(0.001 + millis * 0.001));
  }

  private static RooflineModel model(String hardware, String model) {
    return new RooflineModel(HardwareProfiles.named(hardware), ModelProfiles.named(model), 16);
  }

  private static HardwareProfile toyDevice() {
    return new HardwareProfile(
        "toy",
        DeviceKind.GPU,
        "",
        1 << 20,
        1 << 20,
        0,
        1_000_000_000,
        1_000_000_000,
        new Efficiency(0.5, 0.5, 0.5, 0.5),
        10,
        100,
        Map.of());
  }

  private static ModelProfile toyModel() {
    return new ModelProfile(
        "toy",
        Architecture.LLAMA,
        1,
        4,
        1,
        1,
        4,
        8,
        16,
        32,
        false,
        false,
        false,
        DataType.FLOAT16,
        "");
  }
}
