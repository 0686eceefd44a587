package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TensorParallelRooflineTest {

  private static final StepShape DECODES = Shapes.decode(32, 512);

  // Linear 12.952 GB / (1,200 GB/s · 0.85) = 12.698; KV 32 · 519.5 · 512 KiB / (1,200 · 0.80) =
  // 9.079; activations 32 tokens · 32 layers · (2 · 32,768 + 2 · 8,192 + 4 · 4,096 + 3 · 11,008) ·
  // 2
  // / 1,020 GB/s = 0.264; head 0.262 GB / 1,020 GB/s = 0.257; 64 · (20 us + 262,144 bytes / 16
  // GB/s) = 2.329; overhead 0.126 + 32 · 0.042 = 1.470.
  @Test
  void breakdown_twoA10_isTheHandArithmetic() {
    StepCost cost = model("a10:tp=2", "pcie4-16gbps").breakdown(DECODES);

    assertMillis(cost.weightsNanos(), 12.698);
    assertMillis(cost.kvNanos(), 9.079);
    assertMillis(cost.activationNanos(), 0.264);
    assertMillis(cost.headNanos(), 0.257);
    assertMillis(cost.communicationNanos(), 2.329);
    assertMillis(cost.overheadNanos(), 1.470);
    assertThat(cost.totalNanos()).isEqualTo(model("a10:tp=2", "pcie4-16gbps").nanos(DECODES));
  }

  @Test
  void breakdown_pairOfDifferentCards_isTwiceTheSlower() {
    assertThat(model("rtx-4090+rtx-3090", "pcie4").breakdown(DECODES))
        .isEqualTo(model("rtx-3090:tp=2", "pcie4").breakdown(DECODES));
  }

  @Test
  void nanos_oneCard_doesNotCommunicate() {
    RooflineModel alone =
        new RooflineModel(HardwareProfiles.named("a10"), ModelProfiles.named("vicuna-7b"), 16);

    for (StepShape shape : Shapes.grid()) {
      assertThat(model("a10", "pcie3").breakdown(shape)).isEqualTo(alone.breakdown(shape));
    }
  }

  @Test
  void breakdown_nothingComputed_doesNotCommunicate() {
    StepShape copies = new StepShape(0, 0, 0, 0, 0, 0, 0);

    assertThat(model("a10:tp=2", "pcie4").breakdown(copies).communicationNanos()).isZero();
  }

  // Four cards: 2 · 3 / 4 = 1.5 times the bytes over the slower direction, 1 GB/s.
  @Test
  void allReduce_fourCards_isTheRing() {
    LinkProfile link = new LinkProfile("x", "", 2_000_000_000, 1_000_000_000, 5, 700, Map.of());

    AllReduceModel four = AllReduceModel.over(link, 4);

    assertThat(four.fixedNanos()).isEqualTo(700);
    assertThat(four.nanosPerByte()).isEqualTo(1.5);
  }

  private static RooflineModel model(String device, String link) {
    return new RooflineModel(
        DeviceSpec.parse(device).group(),
        LinkProfiles.named(link),
        ModelProfiles.named("vicuna-7b"),
        16);
  }

  private static void assertMillis(long nanos, double millis) {
    assertThat(nanos / 1e6).isCloseTo(millis, within(0.001));
  }
}
